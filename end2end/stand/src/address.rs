//! Addresses to listen on: what a URL says, whether somebody listens there, and which are free.

use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long a listener on this machine may take to accept.
const PATIENCE: Duration = Duration::from_millis(500);

/// Host and port of a URL: `127.0.0.1:3100` of `http://127.0.0.1:3100/path`.
#[must_use]
pub fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// True when a URL leads to this machine, so that what answers there is ours to start.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let authority = authority(url);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_v4 = host.starts_with("127.")
        && host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_v4 || host == "localhost" || host == "[::1]"
}

/// True when something accepts connections at `host:port`.
#[must_use]
pub fn is_taken(address: &str) -> bool {
    let Ok(addresses) = address.to_socket_addrs() else {
        return false;
    };
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}

/// So many different addresses on loopback that nothing listens on now.
pub fn free(count: usize) -> std::io::Result<Vec<String>> {
    // Held until all are chosen, so that none comes twice.
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    held.iter()
        .map(|listener| Ok(listener.local_addr()?.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_listen_and_whether_that_is_here() {
        assert_eq!(authority("http://127.0.0.1:3100/path"), "127.0.0.1:3100");
        assert_eq!(
            authority("smtp://mail.example.org:25"),
            "mail.example.org:25"
        );
        for here in [
            "http://127.0.0.1:1",
            "smtp://localhost:25",
            "http://[::1]:3100/x",
            "http://127.1.2.3",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "http://10.0.0.1:3100",
            "smtp://mail.example.org:25",
            "http://127.example.org",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_listened_on_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert!(is_taken(&address));
        drop(listener);
        assert!(!is_taken(&address));
        let free = free(5).unwrap();
        let different: std::collections::BTreeSet<_> = free.iter().collect();
        assert_eq!(different.len(), 5);
    }
}
