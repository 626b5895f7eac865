//! Which addresses are public, what a webhook's address may be, and the signature against a vector of its own.

use crate::outside::poster::*;

#[test]
fn special_ranges_are_not_public() {
    let special = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:10::1",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:101::",
        "3fff::1",
        "3ffe::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "4000::1",
    ];
    for text in special {
        assert!(!is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn the_rest_of_the_internet_is_public() {
    let public = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ];
    for text in public {
        assert!(is_public(text.parse().unwrap()), "{text}");
    }
}

#[test]
fn an_address_is_https_public_and_without_credentials() {
    use WebhookRefusal as R;
    let refused = [
        ("", R::Empty),
        ("not an address", R::Malformed),
        ("https://", R::Malformed),
        ("http://example.org/hook", R::NotHttps),
        ("ftp://example.org/", R::NotHttps),
        ("file:///etc/passwd", R::NotHttps),
        ("https://ada:pw@example.org/", R::HasCredentials),
        ("https://ada@example.org/", R::HasCredentials),
        ("https://example.org:22/", R::PortRefused),
        ("https://example.org:80/", R::PortRefused),
        ("https://127.0.0.1/", R::NotPublic),
        ("https://2130706433/", R::NotPublic),
        ("https://0x7f.1/", R::NotPublic),
        ("https://[::1]:8443/", R::NotPublic),
        ("https://[::ffff:169.254.169.254]/", R::NotPublic),
        ("https://169.254.169.254/latest", R::NotPublic),
    ];
    for (text, expected) in refused {
        assert_eq!(parse(text, AllowedHosts::Public), Err(expected), "{text}");
    }
    for text in [
        "https://example.org/hook?x=1",
        "https://example.org:8443/",
        " https://1.1.1.1/ ",
    ] {
        assert!(parse(text, AllowedHosts::Public).is_ok(), "{text}");
    }
    let long = format!("https://example.org/{}", "x".repeat(500));
    assert_eq!(parse(&long, AllowedHosts::Public), Err(R::TooLong));
    assert!(parse("http://127.0.0.1:9/", AllowedHosts::Anywhere).is_ok());
    assert_eq!(
        parse("http://10.0.0.1/", AllowedHosts::Anywhere),
        Err(R::NotPublic)
    );
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let resolver = PublicOnly(AllowedHosts::Public);
    let outcome = resolver.resolve("localhost".parse().unwrap()).await;
    assert!(outcome.err().unwrap().is::<NoPublicAddress>());
    let resolver = PublicOnly(AllowedHosts::Anywhere);
    assert!(resolver.resolve("localhost".parse().unwrap()).await.is_ok());
}

#[test]
fn the_signature_can_be_checked_by_anybody() {
    // printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test
    let made = signature("whsec_test", 1_700_000_000, "{}");
    assert_eq!(
        made,
        "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
    );
}

#[test]
fn what_is_accepted_fits_its_column_as_it_is_stored() {
    // Each grows by another rule: percent-encoding in path and query, and a host in another script.
    let path = |signs: &str, count: usize| format!("https://example.org/{}", signs.repeat(count));
    let query = |signs: &str, count: usize| format!("https://example.org/?{}", signs.repeat(count));
    let host = format!("https://{}example.org/", "\u{fc}ber.".repeat(60));
    for typed in [
        path("\u{e9}", 300),
        query("\u{4e2d}", 200),
        path(" a", 240),
        host,
    ] {
        assert!(typed.chars().count() <= WEBHOOK_URL_CHARS_MAX, "{typed}");
        let outcome = parse(&typed, AllowedHosts::Public);
        assert_eq!(outcome, Err(WebhookRefusal::TooLong), "{typed}");
    }
    let fits = parse(&path("\u{e9}", 80), AllowedHosts::Public).unwrap();
    assert_eq!(fits.as_str().len(), 500);
}

#[tokio::test]
async fn nothing_tells_a_name_that_leads_inside_from_one_that_does_not_exist() {
    // As the orchestrator's client does for the program; here there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (public, patience) = (AllowedHosts::Public, Duration::from_millis(1_200));
    let inside = Poster::with(public, patience).unwrap();
    let anywhere = Poster::with(AllowedHosts::Anywhere, patience).unwrap();
    let now = OffsetDateTime::UNIX_EPOCH;
    // Nobody listens here any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let took = async |poster: &Poster, url: &str| {
        let began = tokio::time::Instant::now();
        let outcome = poster.post(url, "whsec_test", "{}".to_owned(), now).await;
        assert_eq!(outcome, Err(PostError::Unreachable), "{url}");
        began.elapsed()
    };
    let (name, unknown, literal, refused) = tokio::join!(
        took(&inside, "https://localhost/"),
        took(&inside, "https://nobody.invalid/"),
        took(&inside, "https://127.0.0.1/"),
        took(&anywhere, &closed),
    );
    for time in [name, unknown, literal, refused] {
        assert!(time >= patience, "{time:?}");
        assert!(time < patience * 3, "{time:?}");
    }
}
