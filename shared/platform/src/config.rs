//! Configuration. Nothing else reads the environment.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::invite::Rules;
use domain::limits::Limits;
use jiff::SignedDuration;

#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// A variable that is missing or has a wrong value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    variable: String,
    reason: String,
}

impl ConfigError {
    /// The reason is the end of a sentence: "is not set".
    pub fn new(variable: &str, reason: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the environment variable {} {}",
            self.variable, self.reason
        )
    }
}

impl std::error::Error for ConfigError {}

impl Environment {
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_this_process() -> Self {
        Self(Arc::new(|name| std::env::var(name).ok()))
    }

    /// Exactly these variables.
    #[must_use]
    pub fn of(variables: HashMap<String, String>) -> Self {
        Self(Arc::new(move |name| variables.get(name).cloned()))
    }

    /// A variable that must be there.
    ///
    /// # Errors
    ///
    /// Names the variable if it is missing, empty or not a `T`.
    pub fn required<T>(&self, name: &str) -> Result<T, ConfigError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.optional(name)?
            .ok_or_else(|| ConfigError::new(name, "is not set"))
    }

    /// A variable that may be missing or empty.
    ///
    /// # Errors
    ///
    /// Names the variable if it is not a `T`.
    pub fn optional<T>(&self, name: &str) -> Result<Option<T>, ConfigError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        (self.0)(name)
            .filter(|text| !text.is_empty())
            .map(|text| {
                text.parse().map_err(|reason: T::Err| {
                    ConfigError::new(name, format!("is not usable: {reason}"))
                })
            })
            .transpose()
    }

    /// The rules of inviting.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub fn invite_rules(&self) -> Result<Rules, ConfigError> {
        Ok(Rules {
            pro_plans: self.required("PRO_PLANS")?,
            limits: self.limits()?,
        })
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let days: u16 = self.required("INVITE_LIFETIME_DAYS")?;
        let seconds: u32 = self.required("RESEND_COOLDOWN_SECONDS")?;
        Ok(Limits {
            invite_lifetime: SignedDuration::from_hours(24 * i64::from(days)),
            resend_cooldown: SignedDuration::from_secs(i64::from(seconds)),
            resends_per_day: self.required("RESENDS_PER_DAY")?,
            sends_per_hour: self.required("SENDS_PER_HOUR")?,
            sends_per_recipient_per_day: self.required("SENDS_PER_RECIPIENT_PER_DAY")?,
        })
    }
}

impl fmt::Debug for Environment {
    /// Never prints a value: credentials are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn errors_name_the_variable() {
        let variables = [("A", "x"), ("B", ""), ("C", "7")];
        let environment =
            Environment::of(variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        let message = |name| environment.required::<u32>(name).unwrap_err().to_string();
        assert_eq!(
            message("A"),
            "the environment variable A is not usable: invalid digit found in string"
        );
        assert_eq!(message("B"), "the environment variable B is not set");
        assert_eq!(message("D"), "the environment variable D is not set");
        assert_eq!(environment.required("C"), Ok(7));
        assert_eq!(environment.optional::<u32>("B"), Ok(None));
    }
}
