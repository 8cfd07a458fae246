//! The command line.

use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// Port of the API and of `/dev`. 0 chooses a free one.
    pub port: u16,
    /// Port of the embedded DynamoDB. 0 chooses a free one.
    pub dynamodb_port: u16,
    /// The folder that keeps data between runs. Without one, nothing is kept.
    pub data: Option<PathBuf>,
    /// Print [`Arguments::HELP`] and exit.
    pub help: bool,
}

impl Arguments {
    pub const HELP: &'static str = "\
Starts Rollcall on this machine: API, identity provider, mail and DynamoDB.

Usage: cargo run [-- OPTIONS]

  --port N           port of the API and of /dev (default 3000, 0 chooses a free one)
  --dynamodb-port N  port of the embedded DynamoDB (default 8000, 0 chooses a free one)
  --data DIR         keep accounts and mail in DIR between runs
  --help             print this";

    /// Parses the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// A sentence about the wrong argument.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self {
            port: 3000,
            dynamodb_port: 8000,
            data: None,
            help: false,
        };
        while let Some(argument) = arguments.next() {
            let (name, mut value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                value
                    .take()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| format!("{name} needs a value\n\n{}", Self::HELP))
            };
            match name.as_str() {
                "--port" => parsed.port = port(&name, &value()?)?,
                "--dynamodb-port" => parsed.dynamodb_port = port(&name, &value()?)?,
                "--data" => parsed.data = Some(PathBuf::from(value()?)),
                "--help" | "-h" => parsed.help = true,
                _ => return Err(format!("{name} is not an option\n\n{}", Self::HELP)),
            }
        }
        Ok(parsed)
    }
}

fn port(name: &str, value: &str) -> Result<u16, String> {
    value
        .parse()
        .map_err(|_| format!("{name} must be a port number from 0 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use std::path::Path;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_can_be_written_both_ways() {
        let arguments = parse("--port 0 --dynamodb-port=4000 --data here").unwrap();
        assert_eq!((arguments.port, arguments.dynamodb_port), (0, 4000));
        assert_eq!(arguments.data.as_deref(), Some(Path::new("here")));
        assert_eq!(parse("").unwrap().port, 3000);
        assert!(parse("--help").unwrap().help);
    }

    #[test]
    fn mistakes_are_explained() {
        for (line, message) in [
            ("--port", "--port needs a value"),
            ("--port x", "--port must be a port number"),
            ("--port 70000", "--port must be a port number"),
            ("--prot 1", "--prot is not an option"),
        ] {
            assert!(parse(line).unwrap_err().starts_with(message), "{line}");
        }
    }
}
