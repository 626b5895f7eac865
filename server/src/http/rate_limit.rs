//! Limits for forms: per network for those that a stranger can send (signing up, signing in, following a mailed link), and per
//! person and per account for all that signed-in people send. In memory, so a restart forgets them and each replica counts for
//! itself; what must hold across replicas (failed sign-ins, mails) is in `backend`, in the database.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::frame::dead_end::DeadEnd;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use domain::ceilings::{FORMS_PER_ACCOUNT, FORMS_PER_PERSON};
use domain::id::{AccountId, UserId};
use tokio::time::Instant;

use super::answer;
use super::client_address::{ClientAddress, network};
use super::edge::Edge;
use crate::config::Stage;

/// Networks, or people, remembered at once: 100,000 take about 10 MB. Beyond that, all that are at rest are forgotten, and if none
/// is, all: an attacker with that many networks is not stopped by this anyway.
const REMEMBERED_MAX: usize = 100_000;

/// A group of forms with one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    SignUp,
    SignIn,
    MailedLink,
}

/// Which server function counts where.
const GROUPS: [(&str, Group); 10] = [
    ("/api/account/sign-up", Group::SignUp),
    ("/api/session/sign-in", Group::SignIn),
    ("/api/account/open", Group::MailedLink),
    ("/api/alert/agree", Group::MailedLink),
    ("/api/alert/stop", Group::MailedLink),
    ("/api/target/refuse-mail", Group::MailedLink),
    ("/api/target/allow-mail", Group::MailedLink),
    // These reach somebody outside, so a script must not run through them either.
    ("/api/alert/add-recipient", Group::MailedLink),
    ("/api/alert/resend", Group::MailedLink),
    ("/api/webhook/test", Group::MailedLink),
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
    /// Any form of one signed-in person.
    pub person: Limit,
    /// Any form of all people of one account together.
    pub account: Limit,
}

/// Faster than anybody types or clicks, slower than a script that tries things.
const PERSON: Limit = Limit {
    burst: FORMS_PER_PERSON,
    every: Duration::from_secs(1),
};
const ACCOUNT: Limit = Limit {
    burst: FORMS_PER_ACCOUNT,
    every: Duration::from_millis(250),
};

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
        person: PERSON,
        account: ACCOUNT,
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
        // People are themselves there too; only a test that posts every form in every role is faster.
        person: Limit {
            burst: 200,
            ..PERSON
        },
        account: ACCOUNT,
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

/// Counts. For each of whom it knows it holds the moment at which they are at rest again; each request moves it by `every`, and it
/// may lie at most `burst` times `every` ahead (the "generic cell rate algorithm").
struct Counts<K>(Mutex<HashMap<K, Instant>>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Counts<K> {
    fn admits(&self, who: K, limit: Limit, now: Instant) -> bool {
        let mut at_rest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at_rest.len() >= REMEMBERED_MAX {
            at_rest.retain(|_, rest| *rest > now);
            if at_rest.len() >= REMEMBERED_MAX {
                at_rest.clear();
            }
        }
        let rest = at_rest.entry(who).or_insert(now);
        let next = (*rest).max(now) + limit.every;
        let is_admitted = next <= now + limit.every * limit.burst;
        if is_admitted {
            *rest = next;
        }
        is_admitted
    }
}

/// The limits, and everybody's counts.
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    networks: Arc<Counts<(Group, IpAddr)>>,
    people: Arc<Counts<UserId>>,
    accounts: Arc<Counts<AccountId>>,
}

impl Limiter {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            networks: Arc::default(),
            people: Arc::default(),
            accounts: Arc::default(),
        }
    }

    fn admits(&self, group: Group, network: IpAddr, now: Instant) -> bool {
        let limit = self.limits.of_group(group);
        self.networks.admits((group, network), limit, now)
    }

    /// Whether this person may send a form now. One person cannot use up what their account has.
    pub(super) fn admits_person(
        &self,
        user_id: UserId,
        account_id: AccountId,
        now: Instant,
    ) -> bool {
        self.people.admits(user_id, self.limits.person, now)
            && self.accounts.admits(account_id, self.limits.account, now)
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
            person: tight,
            account: Limit { burst: 5, ..tight },
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
    fn a_person_does_not_use_up_the_account_and_people_share_it() {
        let (limiter, now) = (limiter(), Instant::now());
        let id = |number| uuid::Uuid::from_u128(number);
        let (one, other, account) = (UserId(id(1)), UserId(id(2)), AccountId(id(3)));
        let sends = |user_id, times: usize| {
            let sent = (0..times).filter(|_| limiter.admits_person(user_id, account, now));
            sent.count()
        };
        assert_eq!(sends(one, 10), 3);
        assert_eq!(sends(other, 10), 2, "five of the account");
        assert!(limiter.admits_person(UserId(id(4)), AccountId(id(5)), now));
    }

    #[test]
    fn memory_is_bounded() {
        let (limiter, now) = (limiter(), Instant::now());
        for number in 0..REMEMBERED_MAX as u32 + 10 {
            limiter.admits(Group::SignIn, IpAddr::V4(number.into()), now);
        }
        assert!(limiter.networks.0.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
