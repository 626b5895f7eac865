//! Variables that hold addresses: which schemes, and what production asks of them beyond that.

use url::{Host, Url};

use super::reader::Reader;

pub(super) fn public_origin(reader: &mut Reader) -> Option<Url> {
    let name = "PUBLIC_ORIGIN";
    let origin = reader.required(
        name,
        "an origin such as https://app.isorun.ai, nothing after the host and port",
        |text| {
            let url = web_url(text)?;
            let bare = url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && !text.ends_with('/');
            (bare && url.username().is_empty() && url.password().is_none()).then_some(url)
        },
    )?;
    if origin.scheme() == "http" {
        reader.refuse_in_production(name, "must be https");
        if !is_loopback(&origin) {
            reader.refuse(name, "must be https: plain http is for loopback alone");
        }
    }
    Some(origin)
}

pub(super) fn database_url(reader: &mut Reader) -> Option<String> {
    let name = "DATABASE_URL";
    let parse = |text: &str| {
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "postgres" | "postgresql"))
    };
    let url = reader.required(name, "a postgres:// address", parse)?;
    let asks = |wanted: &str| {
        url.query_pairs()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let stays_here = is_loopback(&url) || asks("host").is_some_and(|host| host.starts_with('/'));
    if !stays_here && asks("sslmode").as_deref() != Some("verify-full") {
        reader.refuse_in_production(
            name,
            "must have sslmode=verify-full unless the database is on this machine",
        );
    }
    Some(url.into())
}

pub(super) fn peer_url(reader: &mut Reader, name: &'static str) -> Option<Url> {
    let url = reader.required(name, "an http:// or https:// address", web_url)?;
    if url.scheme() == "http" {
        reader.refuse_in_production(name, "must be https");
    }
    if is_loopback(&url) {
        reader.refuse_in_production(
            name,
            "must not be on loopback: that is where the peers for development live",
        );
    }
    Some(url)
}

pub(super) fn smtp_url(reader: &mut Reader) -> Option<String> {
    let name = "SMTP_URL";
    let parse = |text: &str| {
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host())
    };
    let url = reader.required(name, "an smtp:// or smtps:// address", parse)?;
    let encrypted = url.scheme() == "smtps"
        || url
            .query_pairs()
            .any(|(key, value)| key == "tls" && value == "required");
    if !encrypted {
        reader.refuse_in_production(name, "must be smtps:// or carry ?tls=required");
    }
    if is_loopback(&url) {
        reader.refuse_in_production(
            name,
            "must not be on loopback: that is where the mail catcher lives",
        );
    }
    Some(url.into())
}

fn web_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// True for names and addresses that never leave this machine.
fn is_loopback(url: &Url) -> bool {
    // Schemes that the URL standard does not know, such as smtp, keep an address as a name.
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Domain(name)) => {
            let address: Option<std::net::Ipv4Addr> = name.parse().ok();
            let name_is_local =
                name.is_empty() || name == "localhost" || name.ends_with(".localhost");
            name_is_local
                || address.is_some_and(|address| address.is_loopback() || address.is_unspecified())
        }
        None => true,
    }
}
