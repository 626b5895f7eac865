//! Who asks: the peer of the connection or, behind proxies we trust, the address that the outermost of them saw.
//! Used for limits only; never logged.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use super::edge::Edge;
use crate::config::Network;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection; the listener puts it into each request.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub SocketAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Finds out and hands it on. Without a connection (tests call the router directly) nobody is known.
pub async fn find(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    if let Some(PeerAddress(peer)) = request.extensions().get::<PeerAddress>().copied() {
        let client = client(&edge.trusted_proxies, peer.ip(), request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    next.run(request).await
}

/// Walks the header from the right, as long as the one who wrote an entry is trusted: what stands further left was
/// written by somebody we do not know.
fn client(trusted: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !trusted.iter().any(|network| network.contains(client)) {
            break;
        }
        match entry.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

/// Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, which one customer of a provider has to himself.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn client_of(peer: &str, lines: &[&str]) -> IpAddr {
        let trusted = [
            Network::parse("10.0.0.0/8").unwrap(),
            Network::parse("fd00::/8").unwrap(),
        ];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        client(&trusted, peer.parse().unwrap(), &headers)
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        let cases: [(&str, &[&str], &str); 7] = [
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["1.2.3.4, 198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["1.2.3.4", "198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["1.2.3.4, nonsense"], "10.0.0.1"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ];
        for (peer, lines, expected) in cases {
            assert_eq!(
                client_of(peer, lines),
                expected.parse::<IpAddr>().unwrap(),
                "{peer} {lines:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_stranger_cannot_choose_an_address(forged in "[0-9a-f:., ]{0,60}") {
            prop_assert_eq!(client_of("203.0.113.9", &[&forged]), "203.0.113.9".parse::<IpAddr>().unwrap());
            let behind = format!("{forged}, 203.0.113.9");
            prop_assert_eq!(client_of("10.0.0.1", &[&behind]), "203.0.113.9".parse::<IpAddr>().unwrap());
        }
    }
}
