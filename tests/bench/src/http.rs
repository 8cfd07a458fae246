//! The part of HTTP/1.1 that the servers of the benchmark need: they must cost almost nothing.

use std::io::{self, BufRead, Error, Write};

pub(crate) struct Request {
    /// Method, path and headers, unchanged.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection. None, if the connection was closed.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or a body has no `content-length`.
    pub(crate) fn read(connection: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = String::new();
        loop {
            let before = head.len();
            if connection.read_line(&mut head)? == 0 {
                return Ok(None);
            }
            if matches!(head.get(before..), Some("\r\n")) {
                break;
            }
        }
        let mut request = Self {
            head,
            body: Vec::new(),
        };
        if request.header("transfer-encoding").is_some() {
            return Err(Error::other("chunked bodies are not understood"));
        }
        let length = request.header("content-length").map(str::parse::<usize>);
        let length = length.transpose().map_err(Error::other)?.unwrap_or(0);
        request.body.resize(length, 0);
        connection.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    pub(crate) fn line(&self) -> (&str, &str) {
        let mut words = self.head.split(' ');
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }

    /// The name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Writes an answer in one piece.
///
/// # Errors
///
/// If the connection breaks.
pub(crate) fn write(
    connection: &mut impl Write,
    status: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n").into_bytes();
    answer.extend_from_slice(body);
    connection.write_all(&answer)?;
    connection.flush()
}
