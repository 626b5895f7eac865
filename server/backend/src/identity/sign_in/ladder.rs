//! The ladder of an address: each failure in a row makes the next try wait longer. How long is `domain::identity`'s. In the
//! database, because several processes share it, and counted under a lock, so that tries at the same time are one after the other.
//! A browser that has signed in before with an address is on a ladder of its own: whoever guesses elsewhere does not shut its person out.

use domain::ceilings::SIGN_IN_FAILURES_HOURS;
use domain::identity::{SignInRefusal, wait_s};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::failure::{Broken, Failure};
use crate::identity::sign_in::store;
use crate::secret::hex;
use crate::{Backend, random};

/// A browser in which somebody has signed in with an address. It carries this in a sealed cookie, and proves nothing by it: the password
/// is asked all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBrowser {
    /// The ladder of the address with which they did.
    address: String,
    /// Tells it from their others.
    browser: String,
}

/// A try that may be made.
pub(super) struct Try {
    /// Whose ladder it is on.
    pub(super) address_hmac: Vec<u8>,
    /// What the browser may call itself once this one succeeds.
    pub(super) known: KnownBrowser,
    /// How many there will have been in a row if this one fails.
    pub(super) failures: i32,
}

/// Counts a try as failed before it is made, or refuses it when the last one was too short ago.
pub(super) async fn claim(
    backend: &Backend,
    canonical: &str,
    known: Option<&KnownBrowser>,
) -> Result<Try, Failure<SignInRefusal>> {
    // Derived from the root: whoever changes `SECRET_KEY` does not let everybody try anew.
    let root = backend.root().await?;
    let ladder = |label: &str| root.derive(&format!("sign_in:{label}"))[..32].to_vec();
    let common = ladder(canonical);
    let address = hex(&common);
    let known = known.filter(|known| known.address == address);
    // An address holds no space, so no address is another one's browser.
    let own = known.map(|known| ladder(&format!("{canonical} {}", known.browser)));
    let address_hmac = own.unwrap_or(common);
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let row = store::locked(&mut tx, &address_hmac, now).await?;
    if row.next_at > now {
        metrics::counter!("sign_in_waits_total").increment(1);
        let wait = row.next_at - now;
        let seconds = wait.whole_seconds() + i64::from(wait.subsec_nanoseconds() > 0);
        return Err(Failure::Refused(SignInRefusal::Wait { seconds }));
    }
    let is_old = row.tried_at < now - Duration::hours(SIGN_IN_FAILURES_HOURS);
    let failures = if is_old { 1 } else { row.failures + 1 };
    let next_at = now + Duration::seconds(wait_s(failures));
    store::climb(&mut tx, &address_hmac, failures, (now, next_at)).await?;
    tx.commit().await?;
    let known = known.cloned().unwrap_or_else(|| KnownBrowser {
        address,
        browser: random::base62(22),
    });
    Ok(Try {
        address_hmac,
        known,
        failures,
    })
}

/// Takes a try back that was not made.
pub(super) async fn give_back(backend: &Backend, tried: &Try) -> Result<(), Broken> {
    let mut db = backend.pool().acquire().await?;
    store::step_down(&mut db, &tried.address_hmac, backend.clock().now()).await
}
