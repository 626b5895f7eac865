//! Limits per network for the forms that a stranger can send: signing up, signing in, following a mailed link. In memory, so a
//! restart forgets them and each replica counts for itself; limits per person are in `backend`, in the database.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::frame::dead_end::DeadEnd;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

use super::answer;
use super::client_address::ClientAddress;
use super::edge::Edge;
use crate::config::Stage;

/// Networks remembered at once: 100,000 take about 10 MB. Beyond that, all that are at rest are forgotten, and if none
/// is, all: an attacker with that many networks is not stopped by this anyway.
const NETWORKS_MAX: usize = 100_000;

/// A group of forms with one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    SignUp,
    SignIn,
    MailedLink,
}

/// Which server function counts where.
const GROUPS: [(&str, Group); 7] = [
    ("/api/account/sign-up", Group::SignUp),
    ("/api/session/sign-in", Group::SignIn),
    ("/api/account/open", Group::MailedLink),
    ("/api/alert/agree", Group::MailedLink),
    ("/api/alert/stop", Group::MailedLink),
    // These mail somebody outside, so a script must not run through them either.
    ("/api/alert/add-recipient", Group::MailedLink),
    ("/api/alert/resend", Group::MailedLink),
];

/// How many at once, and how long until one more.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// As many at once.
    pub burst: u32,
    /// Then one more after this long.
    pub every: Duration,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub sign_up: Limit,
    pub sign_in: Limit,
    /// Opening an account and agreeing to alerts by a mailed link, and asking somebody to.
    pub mailed_link: Limit,
}

impl Limits {
    /// For customers: an office behind one address can sign up together, a script cannot fill the table.
    pub const PRODUCTION: Self = Self {
        sign_up: Limit {
            burst: 10,
            every: Duration::from_secs(60),
        },
        sign_in: Limit {
            burst: 30,
            every: Duration::from_secs(4),
        },
        mailed_link: Limit {
            burst: 30,
            every: Duration::from_secs(10),
        },
    };
    /// For development, where everybody, a whole test run included, comes from one loopback address.
    pub const DEVELOPMENT: Self = Self {
        sign_up: Limit {
            burst: 1_000,
            every: Duration::from_millis(100),
        },
        sign_in: Limit {
            burst: 1_000,
            every: Duration::from_millis(100),
        },
        mailed_link: Limit {
            burst: 1_000,
            every: Duration::from_millis(100),
        },
    };

    #[must_use]
    pub const fn of(stage: Stage) -> Self {
        match stage {
            Stage::Development => Self::DEVELOPMENT,
            Stage::Production => Self::PRODUCTION,
        }
    }

    const fn of_group(&self, group: Group) -> Limit {
        match group {
            Group::SignUp => self.sign_up,
            Group::SignIn => self.sign_in,
            Group::MailedLink => self.mailed_link,
        }
    }
}

/// Counts. For each network and group it holds the moment at which the network is at rest again; each request moves it
/// by `every`, and it may lie at most `burst` times `every` ahead (the "generic cell rate algorithm").
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    at_rest: Arc<Mutex<HashMap<(Group, IpAddr), Instant>>>,
}

impl Limiter {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            at_rest: Arc::default(),
        }
    }

    fn admits(&self, group: Group, network: IpAddr, now: Instant) -> bool {
        let limit = self.limits.of_group(group);
        let mut at_rest = self.at_rest.lock().unwrap_or_else(PoisonError::into_inner);
        if at_rest.len() >= NETWORKS_MAX {
            at_rest.retain(|_, rest| *rest > now);
            if at_rest.len() >= NETWORKS_MAX {
                at_rest.clear();
            }
        }
        let rest = at_rest.entry((group, network)).or_insert(now);
        let next = (*rest).max(now) + limit.every;
        let is_admitted = next <= now + limit.every * limit.burst;
        if is_admitted {
            *rest = next;
        }
        is_admitted
    }
}

/// Refuses what comes too often.
pub async fn check(
    State((edge, limiter)): State<(Edge, Limiter)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    let group = GROUPS
        .iter()
        .find(|(limited, _)| *limited == path && request.method() == Method::POST);
    let client = request.extensions().get::<ClientAddress>();
    if let (Some((path, group)), Some(client)) = (group, client)
        && !limiter.admits(*group, network(client.0), Instant::now())
    {
        metrics::counter!("http_rate_limited_total", "route" => *path).increment(1);
        return answer::refuse(&edge, DeadEnd::TooMany, &request);
    }
    next.run(request).await
}

/// Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, which one customer of a provider has to himself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        let tight = Limit {
            burst: 3,
            every: Duration::from_secs(10),
        };
        Limiter::new(Limits {
            sign_up: tight,
            sign_in: tight,
            mailed_link: tight,
        })
    }

    #[test]
    fn a_burst_then_one_by_one() {
        let (limiter, began) = (limiter(), Instant::now());
        let one = "198.51.100.1".parse().unwrap();
        let asks =
            |second: u64| limiter.admits(Group::SignUp, one, began + Duration::from_secs(second));
        assert!(asks(0) && asks(0) && asks(0));
        assert!(
            !asks(0) && !asks(9),
            "refused ones do not push the end away"
        );
        assert!(asks(10) && !asks(10));
        assert!(
            asks(40) && asks(40) && asks(40) && !asks(40),
            "rest restores the burst, not more"
        );
    }

    #[test]
    fn networks_and_groups_do_not_share() {
        let (limiter, now) = (limiter(), Instant::now());
        let one = network("2001:db8::1".parse().unwrap());
        assert_eq!(one, network("2001:db8::ffff:1".parse().unwrap()));
        assert_ne!(one, network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(
            network("::ffff:192.0.2.1".parse().unwrap()),
            network("192.0.2.1".parse().unwrap())
        );
        for _ in 0..3 {
            assert!(limiter.admits(Group::SignUp, one, now));
        }
        assert!(!limiter.admits(Group::SignUp, one, now));
        assert!(limiter.admits(Group::SignIn, one, now));
        assert!(limiter.admits(Group::SignUp, "192.0.2.1".parse().unwrap(), now));
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, now) = (limiter(), Instant::now());
        for number in 0..NETWORKS_MAX as u32 + 10 {
            limiter.admits(Group::SignIn, IpAddr::V4(number.into()), now);
        }
        assert!(limiter.at_rest.lock().unwrap().len() <= NETWORKS_MAX);
    }
}
