//! What a usage page counts alone: the filters in its address. The rest of the address is `query`'s.

use crate::ceilings::IMAGE_CHARS_MAX;
use crate::id::KeyId;
use crate::sandbox::{SandboxId, Size};
use crate::usage::UsageProblem;

/// What only is counted. Each that is set narrows further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Started by this key; the inner none is "without a key".
    pub key: Option<Option<KeyId>>,
    /// Of this size.
    pub size: Option<Size>,
    /// Of this image.
    pub image: Option<String>,
    /// In this region.
    pub region: Option<String>,
    /// This sandbox.
    pub sandbox: Option<SandboxId>,
}

impl Only {
    pub(super) fn parse(
        get: &impl Fn(&str) -> Option<String>,
        problems: &mut Vec<UsageProblem>,
    ) -> Self {
        let word = |name: &str| get(name).filter(|text| !text.is_empty());
        let (key, size, image, region, sandbox) = (
            word("key"),
            word("size"),
            word("image"),
            word("region"),
            word("sandbox"),
        );
        let key_read = key.as_deref().map(|text| match text {
            "none" => Some(None),
            _ => text.parse().ok().map(Some),
        });
        let size_read = size.as_deref().map(size_of);
        let short = |text: &String| text.chars().count() <= IMAGE_CHARS_MAX && !text.contains('\0');
        let sandbox_read = sandbox.as_deref().map(SandboxId::parse);
        if matches!(key_read, Some(None))
            || matches!(size_read, Some(None))
            || matches!(sandbox_read, Some(None))
            || !image.iter().chain(&region).all(short)
        {
            problems.push(UsageProblem::FilterUnreadable);
        }
        Self {
            key: key_read.flatten(),
            size: size_read.flatten(),
            image: image.filter(short),
            region: region.filter(short),
            sandbox: sandbox_read.flatten(),
        }
    }

    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let key = self
            .key
            .map(|key| key.map_or_else(|| "none".to_owned(), |id| id.to_string()));
        let words = [
            ("key", key),
            ("size", self.size.map(size_word)),
            ("image", self.image.clone()),
            ("region", self.region.clone()),
            ("sandbox", self.sandbox.as_ref().map(ToString::to_string)),
        ];
        words
            .into_iter()
            .filter_map(|(name, word)| Some((name, word?)))
            .collect()
    }

    /// True when everything is counted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// `2x4096`: processors and MiB.
#[must_use]
pub fn size_word(size: Size) -> String {
    format!("{}x{}", size.vcpus, size.mem_mib)
}

/// Reads `2x4096`; none for anything else.
#[must_use]
pub fn size_of(word: &str) -> Option<Size> {
    let (vcpus, mem_mib) = word.split_once('x')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(vcpus) || !digits(mem_mib) {
        return None;
    }
    Size::new(vcpus.parse().ok()?, mem_mib.parse().ok()?)
}
