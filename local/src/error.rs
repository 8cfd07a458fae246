//! Why the stack did not start.

use std::fmt;

use platform::ConfigError;

use crate::template::TemplateError;

#[derive(Debug)]
pub struct StackError {
    what: String,
    why: String,
}

impl StackError {
    pub(crate) fn new(what: &str, why: impl fmt::Display) -> Self {
        Self {
            what: what.to_owned(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for StackError {}

impl From<TemplateError> for StackError {
    fn from(error: TemplateError) -> Self {
        Self::new("the template cannot be used", error)
    }
}

impl From<ConfigError> for StackError {
    fn from(error: ConfigError) -> Self {
        Self::new(
            "a function cannot start with its environment from template.yaml",
            error,
        )
    }
}
