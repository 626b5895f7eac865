//! Which host a request is for: exactly one, as HTTP asks (RFC 9112 3.2). A request that names none or two is read differently by
//! different programs on its way, which is what smuggling lives on.

use app::frame::dead_end::DeadEnd;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Version};
use axum::middleware::Next;
use axum::response::Response;

use super::answer;
use super::edge::Edge;

/// Refuses a request that does not say whom it is for.
pub async fn check(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    if names_one(request.version(), request.headers()) {
        next.run(request).await
    } else {
        answer::refuse(&edge, DeadEnd::NoHost, &request)
    }
}

fn names_one(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        // Before HTTP/1.1 there was no such header; balancers that look after our health still speak so.
        (None, _) => version < Version::HTTP_11,
        _ => false,
    }
}

/// A name or an address, and perhaps a port. Stricter than the grammar, which allows a comma: two hosts that something on the way has
/// joined into one line.
fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    text.bytes().all(is_plain)
        && text
            .parse::<Authority>()
            .is_ok_and(|authority| !authority.host().is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepts(version: Version, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        names_one(version, &headers)
    }

    #[test]
    fn one_host_and_a_sound_one() {
        for host in ["app.isorun.ai", "127.0.0.1:3000", "[::1]:3000", "localhost"] {
            assert!(accepts(Version::HTTP_11, &[host]), "{host}");
        }
        for host in ["", "a b", "a,b", "user@a", "a/b", "a:b:c", ":80"] {
            assert!(!accepts(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(!accepts(Version::HTTP_11, &[]));
        assert!(
            !accepts(Version::HTTP_11, &["a", "a"]),
            "not even the same one twice"
        );
        assert!(accepts(Version::HTTP_10, &[]));
        assert!(!accepts(Version::HTTP_10, &["a", "b"]));
    }
}
