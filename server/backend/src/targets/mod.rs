//! Whom we send to at somebody else's wish: an address that an account wants asked, a host that a webhook is tested with. How
//! often is counted per target and across all accounts, and whoever has an address can refuse such mail for ever. Why
//! something is sent, and how often it may be, is its sender's: it reserves before it enqueues.

mod store;

use domain::ceilings::TARGET_DAYS;
use domain::email::EmailAddress;
use domain::target::TargetRefusal;
use sqlx::PgConnection;
use subtle::ConstantTimeEq as _;
use time::{Duration, OffsetDateTime};
use url::Url;

use crate::Backend;
use crate::failure::{Broken, Failure};
use crate::secret::{decoded, encoded};
use crate::settings::SecretKey;

pub(crate) use crate::targets::store::{delete_at_rest, delete_uses};

/// Whom something is sent to. No `Debug`: it holds an address.
#[derive(Clone)]
pub(crate) enum Target {
    /// An address, in the form in which addresses are compared.
    Mail(String),
    /// A host, as an address of a webhook names it.
    Host(String),
}

impl Target {
    /// The target that an address is, however it is spelled. What follows a `+` is the owner's own sorting: one inbox.
    pub(crate) fn mail(address: &str) -> Self {
        let canonical = EmailAddress::parse(address).map(|address| address.canonical());
        let canonical = canonical.unwrap_or_else(|_| address.trim().to_lowercase());
        let (local, domain) = canonical.rsplit_once('@').unwrap_or((&canonical, ""));
        let inbox = match local.split_once('+') {
            Some((inbox, _)) if !inbox.is_empty() => inbox,
            _ => local,
        };
        Self::Mail(format!("{inbox}@{domain}"))
    }

    /// The target that a webhook's address leads to: its host, whatever port and path. The dot at the end of a name that is
    /// written in full changes nothing.
    pub(crate) fn host(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        Self::Host(host.trim_end_matches('.').to_lowercase())
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Host(_) => "host",
        }
    }

    /// What it is stored as: nobody finds out from it whom we know without the root. A refusal is as long-lived as that.
    fn hmac(&self, root: &SecretKey) -> [u8; 32] {
        let (Self::Mail(text) | Self::Host(text)) = self;
        let mac = root.derive(&format!("target:{}:{text}", self.kind()));
        let mut half = [0; 32];
        half.copy_from_slice(&mac[..32]);
        half
    }
}

/// How often something may be sent to one target.
pub(crate) struct Ceiling {
    /// What is sent, a closed word; each is counted for itself. Stored: never rename it.
    pub(crate) purpose: &'static str,
    /// At most so many within so long, each.
    pub(crate) within: &'static [(Duration, i64)],
}

/// Why nothing is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Whoever has the address wants no mail that others have sent to it.
    Unwanted,
    /// A ceiling is reached.
    Reached,
}

/// Counts one more thing that is sent to a target, in the transaction that enqueues it; or says why it must not be. The
/// target's row is locked until that transaction ends, so that of several at once each sees those before it. Reserve last:
/// the row is shared by all accounts.
pub(crate) async fn reserve(
    db: &mut PgConnection,
    backend: &Backend,
    target: &Target,
    ceiling: &Ceiling,
    now: OffsetDateTime,
) -> Result<Result<(), Held>, Broken> {
    let hmac = target.hmac(backend.root().await?);
    let row = store::lock(db, target.kind(), &hmac, now).await?;
    if row.is_refused {
        return Ok(Err(Held::Unwanted));
    }
    for (within, most) in ceiling.within {
        debug_assert!(
            *within <= Duration::days(TARGET_DAYS),
            "uses are kept so long"
        );
        let since = now - *within;
        if store::count_since(db, row.target_id, ceiling.purpose, since).await? >= *most {
            return Ok(Err(Held::Reached));
        }
    }
    store::insert_use(db, row.target_id, ceiling.purpose, now).await?;
    Ok(Ok(()))
}

/// Whether whoever has an address wants no mail that others have sent to it.
pub(crate) async fn is_refused(
    db: &mut PgConnection,
    backend: &Backend,
    target: &Target,
) -> Result<bool, Broken> {
    let hmac = target.hmac(backend.root().await?);
    store::is_refused(db, &hmac).await
}

/// The token of the link by which whoever has an address refuses such mail: what the address is stored as, with the proof
/// that it is from us. So it works for ever, also when nothing is stored about the address any more.
pub(crate) async fn refusal_token(backend: &Backend, address: &str) -> Result<String, Broken> {
    let root = backend.root().await?;
    let hmac = encoded(&Target::mail(address).hmac(root));
    let proof = proof(root, &hmac);
    Ok(format!("{hmac}{proof}"))
}

fn proof(root: &SecretKey, hmac: &str) -> String {
    let mac = root.derive(&format!("refuse_mail:{hmac}"));
    encoded(&mac[..32])
}

/// What an address is stored as, from the token of its link.
async fn opened(backend: &Backend, token: &str) -> Result<[u8; 32], Failure<TargetRefusal>> {
    let unknown = || Failure::Refused(TargetRefusal::LinkUnknown);
    let (hmac, given) = token.split_at_checked(43).ok_or_else(unknown)?;
    let ours = proof(backend.root().await?, hmac);
    let is_ours: bool = ours.as_bytes().ct_eq(given.as_bytes()).into();
    decoded(hmac).filter(|_| is_ours).ok_or_else(unknown)
}

/// True when the link's owner has refused; what the page behind the link offers.
///
/// # Errors
/// [`TargetRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "targets.link")]
pub async fn link(backend: &Backend, token: &str) -> Result<bool, Failure<TargetRefusal>> {
    let hmac = opened(backend, token).await?;
    let mut db = backend.pool().acquire().await?;
    Ok(store::is_refused(&mut db, &hmac).await?)
}

/// Refuses, for every account and for ever, mail that others have sent to the address of the link's owner. Refusing twice is
/// refusing.
///
/// # Errors
/// [`TargetRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "targets.refuse")]
pub async fn refuse(backend: &Backend, token: &str) -> Result<(), Failure<TargetRefusal>> {
    let hmac = opened(backend, token).await?;
    let (mut db, now) = (backend.pool().acquire().await?, backend.clock().now());
    store::refuse(&mut db, &hmac, now).await?;
    metrics::counter!("mail_refusals_total", "outcome" => "refused").increment(1);
    Ok(())
}

/// Takes it back. Nothing is sent by that: whoever wants to write has to ask.
///
/// # Errors
/// [`TargetRefusal::LinkUnknown`], or broken.
#[tracing::instrument(skip_all, name = "targets.allow")]
pub async fn allow(backend: &Backend, token: &str) -> Result<(), Failure<TargetRefusal>> {
    let hmac = opened(backend, token).await?;
    let mut db = backend.pool().acquire().await?;
    store::allow(&mut db, &hmac).await?;
    metrics::counter!("mail_refusals_total", "outcome" => "allowed").increment(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_has_many_spellings() {
        let host = |url: &str| match Target::host(&Url::parse(url).unwrap()) {
            Target::Host(host) | Target::Mail(host) => host,
        };
        for url in [
            "https://Hooks.Example.org/a",
            "https://hooks.example.org.:8443/b?c",
        ] {
            assert_eq!(host(url), "hooks.example.org");
        }
        assert_eq!(host("https://0x01010101/"), host("https://1.1.1.1:8443/x"));
        let address = |typed: &str| match Target::mail(typed) {
            Target::Host(address) | Target::Mail(address) => address,
        };
        for typed in [
            "ops@example.org",
            " Ops@Example.ORG ",
            "ops+alerts@example.org",
            "ops+a+b@example.org",
        ] {
            assert_eq!(address(typed), "ops@example.org", "{typed}");
        }
        assert_eq!(address("+ops@example.org"), "+ops@example.org");
    }
}
