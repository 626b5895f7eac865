//! What leaves packed: text that holds no secret. Whoever can make a person's browser ask for a page again and again, with words of
//! their choice in it, and sees how long the answers are, can read a secret out of a packed page letter by letter (BREACH). So a page
//! that shows a secret says `no-transform`, which keeps proxies from packing it too (docs/decisions/0018-what-is-packed.md).

use axum::body::HttpBody;
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::{CompressionLevel, compression::CompressionLayer};

/// Bytes under which packing saves less than a packet.
const WORTH_IT: u64 = 1_024;
/// Of brotli, and of gzip for who has no brotli. Measured in the decision: beyond it there is less to win than a packet.
const LEVEL: i32 = 4;

/// The layer around everything.
pub fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(SizeAbove::new(WORTH_IT).and(TextWithoutSecrets))
}

#[derive(Clone, Copy)]
struct TextWithoutSecrets;

impl Predicate for TextWithoutSecrets {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let header = |name| {
            let value = response.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let kind = header(CONTENT_TYPE);
        let is_text = kind.starts_with("text/")
            || ["application/json", "image/svg+xml"]
                .iter()
                .any(|text| kind.starts_with(text));
        is_text && !header(CACHE_CONTROL).contains("no-transform")
    }
}
