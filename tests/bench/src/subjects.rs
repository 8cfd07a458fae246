//! The subjects of the benchmark: the functions of `template.yaml` with their events, and the
//! baselines.

#![expect(
    clippy::indexing_slicing,
    reason = "what is absent in a JSON value is null"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use local::{Function as Deployed, Options, SigningKey, Stack, Template};
use platform::Clock;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::Failure;
use crate::endpoints::{Endpoints, Services};
use crate::function::{Function, Stage, Subject};

/// Makes subjects with the local stack, which answers as AWS would.
pub(crate) struct Workshop {
    runtime: Runtime,
    stack: Stack,
    template: Template,
    functions: PathBuf,
    bundle: PathBuf,
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

impl Workshop {
    /// Starts the stack, with the demo accounts and those that the payloads in `events/` need.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub(crate) fn open(
        signing_key: SigningKey,
        functions: PathBuf,
        bundle: PathBuf,
    ) -> Result<Self, Failure> {
        let runtime = Runtime::new()?;
        let template = Template::of_this_repository()?;
        // Moves everything an hour into the past, so an invite can be sent again.
        let an_hour_ago = Clock::system().now() - jiff::SignedDuration::from_hours(1);
        let options = Options {
            demo: true,
            mail_feedback: true,
            clock_stands_at: Some(an_hour_ago),
            signing_key: Some(signing_key),
            ..Options::default()
        };
        let stack = runtime.block_on(Stack::start(options))?;
        let workshop = Self {
            runtime,
            stack,
            template,
            functions,
            bundle,
        };
        let acme = json!({
            "accountId": "acme",
            "company": "Acme",
            "plan": "pro",
            "owner": { "firstName": "Olivia", "lastName": "Owner", "email": "olivia@example.com" },
        });
        workshop.invoke("provision-account", acme)?;
        let mut invite = event("invite")?;
        invite["pathParameters"]["accountId"] = json!("acme");
        // Everyone has logged in before, as nearly all callers have.
        let claims = "/requestContext/authorizer/jwt/claims";
        let owner = invite.pointer(claims).cloned();
        workshop.invoke("invite", invite)?;
        let mut login = event("authorize-login")?;
        workshop.invoke("authorize-login", login.clone())?;
        if let (Some(claims), Some(owner)) = (login.pointer_mut(claims), owner) {
            *claims = owner;
        }
        login["body"] = json!(json!({ "accountId": "demo" }).to_string());
        workshop.invoke("authorize-login", login)?;
        Ok(workshop)
    }

    fn invoke(&self, operation: &str, event: Value) -> Result<(), Failure> {
        let invoked = self.runtime.block_on(self.stack.invoke(operation, event));
        let invoked = invoked.ok_or("there is no such operation")?;
        let answer = invoked.map_err(|problem| problem.detail().to_owned())?;
        match answer.get("statusCode").and_then(Value::as_u64) {
            None | Some(200 | 201) => Ok(()),
            _ => Err(format!("{operation} answered {answer}").into()),
        }
    }

    /// # Errors
    ///
    /// If the template can't be read.
    pub(crate) fn deployed(&self) -> Result<Vec<Deployed>, Failure> {
        Ok(self.template.functions()?)
    }

    /// The program of a function, built by cargo or SAM.
    pub(crate) fn program(&self, function: &Deployed) -> PathBuf {
        let by_sam = self.functions.join(&function.logical_id).join("bootstrap");
        if by_sam.exists() {
            by_sam
        } else {
            self.functions.join(&function.operation)
        }
    }

    /// A function, with the local stack's recorded answers to the requests for its event.
    ///
    /// # Errors
    ///
    /// If the function can't be started, or gives a wrong answer.
    pub(crate) fn function(&self, stage: &mut Stage, operation: &str) -> Result<Subject, Failure> {
        let deployed = self.deployed()?;
        let deployed = deployed.iter().find(|f| f.operation == operation);
        let deployed = deployed.ok_or_else(|| format!("there is no function {operation}"))?;
        let is_api = !deployed.routes.is_empty();
        let mut event = event(operation)?;
        let mut expected = if is_api { "\"statusCode\":20" } else { "{" };
        if operation == "authorize-request" {
            event["headers"]["authorization"] = json!(self.bearer("maria@example.com")?);
            event["headers"]["x-account-id"] = json!("demo");
            expected = "\"isAuthorized\":true";
        }
        if operation == "invite" {
            // The mail was sent.
            expected = r#"\"status\":\"sending\""#;
        }
        let mut subject = Subject {
            name: operation.to_owned(),
            command: vec![self.program(deployed)],
            environment: self.environment(&stage.endpoints, deployed)?,
            event: serde_json::to_vec(&event)?,
            expected,
            recording: stage.endpoints.recorded(),
        };
        stage.api.forget();
        stage.endpoints.record(self.services()?);
        let mut function = Function::start_anyhow(stage, &subject, &[], None)?;
        function.invoke()?;
        function.end()?;
        subject.recording = stage.endpoints.recorded();
        Ok(subject)
    }

    /// A baseline that makes a function's requests to AWS.
    ///
    /// # Errors
    ///
    /// If its file of requests can't be written.
    pub(crate) fn baseline(
        &self,
        stage: &Stage,
        name: &str,
        command: Vec<PathBuf>,
        like: &Subject,
    ) -> Result<Subject, Failure> {
        let requests = stage.folder.join(format!("{}.requests.json", like.name));
        fs::write(&requests, like.recording.requests()?.to_string())?;
        let mut environment = like.environment.clone();
        environment.extend([
            text("BENCH_REQUESTS", &requests.to_string_lossy()),
            text("NODE_EXTRA_CA_CERTS", &self.bundle.to_string_lossy()),
        ]);
        Ok(Subject {
            name: name.to_owned(),
            command,
            environment,
            expected: "\"statusCode\":20",
            ..like.clone()
        })
    }

    /// The environment that Lambda and the template set
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
    fn environment(
        &self,
        endpoints: &Endpoints,
        function: &Deployed,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let issuer = format!("{}/dev/oidc", self.stack.url());
        let stage = vec![("Stage", "bench".to_owned())];
        let parameters = local::parameters("https://app.example.com", &issuer, stage);
        let mut environment: BTreeMap<String, String> = self
            .template
            .environment(&function.logical_id, &parameters)?
            .into_iter()
            .collect();
        let system = self.bundle.with_extension("system.pem");
        environment.extend([
            text("AWS_LAMBDA_FUNCTION_NAME", &function.operation),
            text("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            text("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            text("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            text("AWS_LAMBDA_LOG_LEVEL", "INFO"),
            text("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            text("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            text("AWS_REGION", "eu-central-1"),
            text("AWS_DEFAULT_REGION", "eu-central-1"),
            text("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            text(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            ),
            text("AWS_SESSION_TOKEN", &"x".repeat(700)),
            text("LAMBDA_TASK_ROOT", "/var/task"),
            text("LAMBDA_RUNTIME_DIR", "/var/runtime"),
            text("_HANDLER", "bootstrap"),
            text("LANG", "en_US.UTF-8"),
            text("TZ", ":UTC"),
            text("PATH", "/usr/local/bin:/usr/bin:/bin"),
            // These differ from Lambda.
            text("AWS_CA_BUNDLE", &self.bundle.to_string_lossy()),
            text("SSL_CERT_FILE", &system.to_string_lossy()),
            text("AWS_ENDPOINT_URL_DYNAMODB", endpoints.url()),
            text("AWS_ENDPOINT_URL_SESV2", endpoints.url()),
            text("AWS_ENDPOINT_URL_EVENTBRIDGE", endpoints.url()),
        ]);
        Ok(environment)
    }

    fn services(&self) -> Result<Services, Failure> {
        let address = |url: &str| {
            let address = url.strip_prefix("http://").map(str::to_owned);
            address.ok_or("the local stack is not where it should be")
        };
        Ok(Services {
            dynamodb: address(self.stack.dynamodb_url())?,
            ses: address(self.stack.ses_url())?,
            events: address(self.stack.events_url())?,
        })
    }

    fn bearer(&self, email: &str) -> Result<String, Failure> {
        let url = format!("{}/dev/token", self.stack.url());
        let answer: Value = self.runtime.block_on(async {
            let request = reqwest::Client::new().post(url);
            let answer = request.json(&json!({ "email": email })).send().await?;
            answer.json().await
        })?;
        let token = answer.get("idToken").and_then(Value::as_str);
        let token = token.ok_or("the local stack makes no tokens")?;
        Ok(format!("Bearer {token}"))
    }
}

/// The event of an operation, from `events/`.
fn event(operation: &str) -> Result<Value, Failure> {
    let path = Path::new(ROOT).join(format!("events/{operation}.json"));
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn text(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
