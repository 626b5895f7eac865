//! A client for programs on this machine: one request, one answer, no redirects, every wait bounded. It asks in HTTP/1.0, so
//! that the end of an answer is the end of the connection. Tests and SDKs have clients of their own.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::Context as _;

use crate::address::authority;

#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// Headers besides host and length.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, whose presence makes it a POST.
    pub body: Option<&'a [u8]>,
    /// How long connecting, and each silence of the server, may last; none is two seconds.
    pub patience: Option<Duration>,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// The headers with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as far as it is text.
    pub body: String,
    /// Bytes of the body.
    pub bytes: usize,
}

impl Answer {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(of, _)| of == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Sends a request to an `http://` address and reads the answer to its end.
///
/// # Errors
/// When nothing answers, not in time, or not in HTTP.
pub fn ask(url: &str, ask: Ask<'_>) -> anyhow::Result<Answer> {
    let patience = ask.patience.unwrap_or(Duration::from_secs(2));
    let host = authority(url);
    let path = url
        .split_once("://")
        .map_or("", |(_, rest)| rest.get(host.len()..).unwrap_or_default());
    let path = if path.is_empty() { "/" } else { path };
    let address = host.to_socket_addrs()?.next().context("no such host")?;
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let method = if ask.body.is_some() { "POST" } else { "GET" };
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n");
    for (name, value) in ask.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let body = ask.body.unwrap_or_default();
    head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).with_context(|| format!("{method} {url}: this is no answer"))
}

/// True when an address answers with success.
#[must_use]
pub fn answers(url: &str) -> bool {
    ask(url, Ask::default()).is_ok_and(|answer| (200..300).contains(&answer.status))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let end = bytes
        .windows(END_OF_HEAD.len())
        .position(|window| window == END_OF_HEAD)?;
    let head = String::from_utf8_lossy(bytes.get(..end)?);
    let body = bytes.get(end + END_OF_HEAD.len()..)?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let text = String::from_utf8_lossy(body).into_owned();
    Some(Answer {
        status,
        headers,
        body: text,
        bytes: body.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = parse(
            b"HTTP/1.0 303 See Other\r\nLocation: /x\r\nset-cookie: a=b\r\n\r\nbody\r\n\r\nmore",
        )
        .unwrap();
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/x"))
        );
        assert_eq!(
            (answer.body.as_str(), answer.bytes),
            ("body\r\n\r\nmore", 12)
        );
        assert!(parse(b"nonsense").is_none());
    }
}
