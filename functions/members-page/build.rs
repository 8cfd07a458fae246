//! Embeds the files of `bundle/`, as they are and compressed, and the version that names them all.
//!
//! The version is a hash over every name and content. It stands in the path, so a file under one
//! URL never changes.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    // cargo runs this in the package's folder. Asked when this was compiled, it could name another checkout's, since
    // checkouts that share a target folder share what is compiled there.
    let folder = fs::canonicalize("bundle")?;
    let out = out_dir()?;
    let mut files = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<PathBuf>, std::io::Error>>()?;
    // Not every file system lists them in the same order.
    files.sort();

    let mut version = Sha256::new();
    let mut assets = String::new();
    for file in &files {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("a file's name is no text")?;
        let content = fs::read(file)?;
        version.update(name);
        version.update([0]);
        version.update(Sha256::digest(&content));

        let compressed = out.join(format!("{name}.gz"));
        // Without a time or a name inside: the same file always gives the same bytes.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&content)?;
        fs::write(&compressed, encoder.finish()?)?;
        writeln!(
            assets,
            "    Asset {{ name: {name:?}, content_type: {:?}, plain: include_bytes!({file:?}), \
             gzip: include_bytes!({compressed:?}) }},",
            content_type(file)?,
        )?;
    }
    let version = HEXLOWER.encode(&version.finalize());
    let code = format!(
        "const VERSION: &str = \"{version:.16}\";\n\nconst ASSETS: &[Asset] = &[\n{assets}];\n"
    );
    fs::write(out.join("assets.rs"), code)?;
    println!("cargo::rerun-if-changed={}", folder.display());
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is how cargo tells a build script where to write"
)]
fn out_dir() -> Result<PathBuf, Box<dyn Error>> {
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    Ok(PathBuf::from(folder))
}

fn content_type(file: &Path) -> Result<&'static str, String> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        _ => Err(format!("{} is of no known type", file.display())),
    }
}
