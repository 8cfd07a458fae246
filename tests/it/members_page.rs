//! `members-page`: the document, its files, and their headers. `tests/browser` tests the page's
//! behaviour in a browser.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use local::Options;
use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, IF_NONE_MATCH};

use crate::harness::{Reply, Rollcall};

/// The paths that serve the page's document.
const ADDRESSES: [&str; 4] = ["/", "/login", "/invite", "/support"];

/// The files that a document refers to.
fn files(document: &str) -> Vec<String> {
    let links = document
        .split('"')
        .filter(|text| text.starts_with("/assets/"));
    links.map(str::to_owned).collect()
}

#[tokio::test]
async fn one_document_serves_every_address_of_the_page() {
    let rollcall = Rollcall::start().await;
    let home = rollcall.anonymous(Method::GET, "/").await;
    for address in ADDRESSES {
        let page = rollcall.anonymous(Method::GET, address).await;
        let page = page.expect_status(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.raw, home.raw, "{address}");
    }
    let issuer = format!("{}/dev/oidc", rollcall.stack.url());
    let product = format!("{}/dev", rollcall.stack.url());
    for (name, content) in [
        ("issuer", issuer.as_str()),
        ("client-id", "rollcall-local"),
        ("product", "Rollcall Demo"),
        ("product-url", &product),
        ("support", "support@rollcall.example"),
    ] {
        let meta = format!("<meta name=\"{name}\" content=\"{content}\">");
        assert!(home.raw.contains(&meta), "{meta}");
    }
    // It is the same for everyone, whatever the table holds.
    assert!(rollcall.wire.calls().is_empty());
}

#[tokio::test]
async fn the_document_lets_nothing_in_but_its_own_files() {
    let rollcall = Rollcall::start().await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    let policy = page.header("content-security-policy");
    let expected = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self' {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        rollcall.stack.url()
    );
    assert_eq!(policy, expected);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert!(page.header("permissions-policy").contains("geolocation=()"));
    for inline in ["<style", "style=", "onclick", "<script>"] {
        assert!(!page.raw.contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn other_origins_of_the_issuer_can_be_reached() {
    let rollcall = Rollcall::start_with(Options {
        parameters: vec![
            ("SignInOrigins", "https://auth.example.com".to_owned()),
            ("ProductName", "<b>\"Tick\" & Tock</b>".to_owned()),
        ],
        ..Options::default()
    })
    .await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    let policy = page.header("content-security-policy");
    let connect = format!(
        "connect-src 'self' {} https://auth.example.com;",
        rollcall.stack.url()
    );
    assert!(policy.contains(&connect), "{policy}");
    assert!(!page.raw.contains("<b>"), "{}", page.raw);
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again() {
    let rollcall = Rollcall::start().await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    assert_eq!(page.header("cache-control"), "no-cache");
    let etag = page.header("etag");
    for (known, status) in [
        (etag.clone(), 304),
        (format!("\"other\", W/{etag}"), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let request = rollcall
            .request(Method::GET, "/")
            .header(IF_NONE_MATCH, &known);
        let reply = Reply::of(request).await.expect_status(status);
        assert_eq!(reply.header("etag"), etag, "{known}");
        assert_eq!(reply.raw.is_empty(), status == 304);
    }
}

#[tokio::test]
async fn files_can_be_kept_for_good() {
    let rollcall = Rollcall::start().await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    for file in &files(&page.raw) {
        let plain = rollcall
            .anonymous(Method::GET, file)
            .await
            .expect_status(200);
        let kept = plain.header("cache-control");
        assert_eq!(kept, "public, max-age=31536000, immutable", "{file}");
        assert_eq!(plain.header("vary"), "accept-encoding");
        assert_eq!(plain.header("content-encoding"), "");
        let expected = match file.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{other}"),
        };
        assert_eq!(plain.header("content-type"), expected);
        let request = rollcall.request(Method::GET, file);
        let packed = Reply::of(request.header(ACCEPT_ENCODING, "br, gzip")).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        let sizes = (
            packed.header("content-length"),
            plain.header("content-length"),
        );
        let (packed, plain): (usize, usize) = (sizes.0.parse().unwrap(), sizes.1.parse().unwrap());
        assert!(packed < plain, "{file}");
    }
}

#[tokio::test]
async fn a_file_of_another_version_is_not_there() {
    let rollcall = Rollcall::start().await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    let file = files(&page.raw).into_iter().next().unwrap();
    let (version, _) = file.rsplit_once('/').unwrap();
    for path in [
        "/assets/0123456789abcdef/page.js".to_owned(),
        format!("{version}/other.js"),
        format!("{version}/..%2F..%2Fsrc%2Flib.rs"),
    ] {
        let reply = rollcall.anonymous(Method::GET, &path).await;
        let reply = reply.expect_problem(404, "not_found");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_first_load_takes_four_requests_and_less_than_25_kilobytes() {
    let rollcall = Rollcall::start().await;
    let page = rollcall.anonymous(Method::GET, "/").await;
    let mut bytes = page.raw.len();
    let files = files(&page.raw);
    let names: Vec<_> = files
        .iter()
        .map(|file| file.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["icon.svg", "page.css", "page.js"]);
    for file in files {
        let request = rollcall.request(Method::GET, &file);
        let packed = Reply::of(request.header(ACCEPT_ENCODING, "gzip")).await;
        bytes += packed.header("content-length").parse::<usize>().unwrap();
    }
    assert!(bytes < 25 * 1024, "{bytes} bytes");
}

/// Says where the page itself is tested. If you have a browser, you can run that from here too.
#[test]
#[ignore = "needs Chromium and Node.js: tests/browser/run installs both and runs the tests of the page"]
fn in_a_browser() {
    let mut run = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/browser/run"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(run.stdout.take().unwrap());
    let lines: Vec<_> = output.lines().map_while(Result::ok).collect();
    assert!(run.wait().unwrap().success(), "{}", lines.join("\n"));
}
