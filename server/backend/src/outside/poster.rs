//! Posting to an address that a customer chose: signed, bounded in every way, and only ever to the public internet. The
//! rule holds for the addresses that are connected to, not for a name that was looked up earlier. When to post is
//! `alerts::webhook::send`'s.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::ceilings::WEBHOOK_URL_CHARS_MAX;
use domain::webhook::WebhookRefusal;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use sha2::Sha256;
use time::OffsetDateTime;
use url::{Host, Url};
use uuid::Uuid;

use crate::failure::Broken;
use crate::secret;
use crate::settings::{AllowedHosts, SecretKey, Settings};

/// The header that carries the signature.
pub const SIGNATURE: &str = "isorun-signature";

/// Reads what a person typed.
///
/// # Errors
/// The first problem met.
pub fn parse(text: &str, reach: AllowedHosts) -> Result<Url, WebhookRefusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(WebhookRefusal::Empty);
    }
    if text.chars().count() > WEBHOOK_URL_CHARS_MAX {
        return Err(WebhookRefusal::TooLong);
    }
    let url = Url::parse(text).map_err(|_| WebhookRefusal::Malformed)?;
    let plain = reach == AllowedHosts::Anywhere && url.scheme() == "http";
    if url.scheme() != "https" && !plain {
        return Err(WebhookRefusal::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookRefusal::HasCredentials);
    }
    // As it is posted to and stored: other signs than ASCII grow when they are encoded, and so does a host in other scripts.
    if url.as_str().chars().count() > WEBHOOK_URL_CHARS_MAX {
        return Err(WebhookRefusal::TooLong);
    }
    let port = url.port_or_known_default().unwrap_or(0);
    if port != 443 && port < 1_024 && !plain {
        return Err(WebhookRefusal::PortRefused);
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(WebhookRefusal::Malformed),
    };
    // A literal address is never looked up, so the resolver below would not see it.
    if address.is_some_and(|address| !may_reach(address, reach)) {
        return Err(WebhookRefusal::NotPublic);
    }
    Ok(url)
}

fn may_reach(address: IpAddr, reach: AllowedHosts) -> bool {
    is_public(address) || (reach == AllowedHosts::Anywhere && address.to_canonical().is_loopback())
}

/// True for addresses of the public internet: everything but the special ranges of RFC 6890 and its successors, and the
/// IPv6 ranges that carry an IPv4 address are judged by it.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64, well known: the last 32 bits are where it leads.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4: bits 16 to 48.
        [0x2002, high, low, ..] => embedded(high, low),
        // 2000::/3 is all of the global unicast space; mapped and compatible IPv4, unique local, link local, multicast,
        // local NAT64 (64:ff9b:1::/48) and everything not assigned lie outside.
        [first, ..] if first & 0xe000 != 0x2000 => false,
        // IETF protocol assignments with Teredo, benchmarking and ORCHID; documentation, old and new.
        [0x2001, second, ..] => second > 0x01ff && second != 0x0db8,
        [0x3fff, second, ..] => second > 0x0fff,
        // The retired 6bone, 3ffe::/16.
        [0x3ffe, ..] => false,
        // AS112 by DNAME, the IPv6 sibling of 192.175.48.0/24.
        [0x2620, 0x4f, 0x8000, ..] => false,
        _ => true,
    }
}

/// Looks a name up and keeps only addresses that may be reached: what it gives is what is connected to, so a name that
/// changes its mind between two look-ups gains nothing.
struct PublicOnly(AllowedHosts);

/// The look-up gave no address that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> = found
                .filter(|address| may_reach(address.ip(), reach))
                .collect();
            if kept.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

/// How a post fails: the class that is stored and shown, never a text of theirs. Why there was no answer is not told apart:
/// whether a name is unknown, leads inside or refuses the connection would tell whoever sets a webhook what our network knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostError {
    /// No answer from the public internet: no such name, no connection, none in time, or an address that may not be reached.
    Unreachable,
    /// It answered, but not with a success.
    Status(u16),
}

impl PostError {
    /// The word that is stored.
    #[must_use]
    pub fn class(&self) -> String {
        match self {
            Self::Unreachable => "unreachable".to_owned(),
            Self::Status(status) => format!("status_{status}"),
        }
    }
}

/// Longest one post may take in all.
const POST_MAX: Duration = Duration::from_secs(10);

/// Posts. Cheap to clone.
#[derive(Clone)]
pub struct Poster {
    client: Client,
    reach: AllowedHosts,
    post_max: Duration,
}

impl Poster {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Broken> {
        Self::with(settings.webhook_reach, POST_MAX)
    }

    fn with(reach: AllowedHosts, post_max: Duration) -> Result<Self, Broken> {
        let client = Client::builder()
            .timeout(post_max)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(PublicOnly(reach)))
            .user_agent("Isorun-Webhook/1")
            .build()?;
        Ok(Self {
            client,
            reach,
            post_max,
        })
    }

    /// Posts a body, signed. The answer's body is not read at all: only its status counts. Without an answer it takes as long
    /// as one that never comes, whatever the reason: how soon a post fails would say what its class does not.
    ///
    /// # Errors
    /// [`PostError`], by what to show.
    pub async fn post(
        &self,
        url: &str,
        secret: &str,
        body: String,
        now: OffsetDateTime,
    ) -> Result<(), PostError> {
        let end = tokio::time::Instant::now() + self.post_max;
        let outcome = self.attempt(url, secret, body, now).await;
        if outcome == Err(PostError::Unreachable) {
            tokio::time::sleep_until(end).await;
        }
        outcome
    }

    async fn attempt(
        &self,
        url: &str,
        secret: &str,
        body: String,
        now: OffsetDateTime,
    ) -> Result<(), PostError> {
        // Again, because rules may have become stricter since it was stored.
        let url = parse(url, self.reach).map_err(|_| PostError::Unreachable)?;
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header(SIGNATURE, signature(secret, now.unix_timestamp(), &body))
            .body(body);
        let answer = request.send().await;
        let answer = answer.map_err(|_| PostError::Unreachable)?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(PostError::Status(answer.status().as_u16()))
        }
    }
}

/// What a receiver checks: `t=<unix>,v1=<hex HMAC-SHA-256 of "t.body">`.
#[must_use]
pub fn signature(secret: &str, at: i64, body: &str) -> String {
    // HMAC takes a key of any length; the error arm cannot be reached and would sign with nothing, which no receiver takes.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_or_else(
        |_| String::new(),
        |mut mac| {
            mac.update(format!("{at}.{body}").as_bytes());
            secret::hex(&mac.finalize().into_bytes())
        },
    );
    format!("t={at},v1={mac}")
}

/// The secret of a webhook, derived from its id, so that the database does not hold it.
#[must_use]
pub fn secret_of(root: &SecretKey, webhook_id: Uuid) -> String {
    format!("whsec_{}", secret::derived(root, "webhook", webhook_id))
}

#[cfg(test)]
mod tests;
