//! The settings that programs are started with: what the caller has set, the defaults of `.env.example`, secrets, addresses.
//! What each means and whether it is sound is for the dashboard to say.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;

/// Variables on top of this process's own; one may also be taken away.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    changes: BTreeMap<String, Option<String>>,
}

impl Environment {
    /// What this process was started with, unchanged.
    #[must_use]
    pub fn inherited() -> Self {
        Self::default()
    }

    /// Settings for a run that shall mean the same everywhere: free addresses, secrets of its own, the defaults of
    /// `.env.example`, and nothing of what the caller has set but `DATABASE_URL`.
    pub fn own(root: &Path) -> anyhow::Result<Self> {
        let mut own = Self::default();
        let example = read(&root.join(".env.example"))?;
        for (name, value) in pairs(&example) {
            if name != "DATABASE_URL" {
                own.set(name, value);
            }
        }
        let free = crate::address::free(5)?;
        let [web, metrics, orchestrator, smtp, mail] = free.as_slice() else {
            anyhow::bail!("no free addresses");
        };
        own.set("LISTEN_ADDR", web);
        own.set("METRICS_ADDR", metrics);
        own.set("PUBLIC_ORIGIN", &format!("http://{web}"));
        own.set("ORCHESTRATOR_URL", &format!("http://{orchestrator}"));
        own.set("SANDBOX_API_URL", &format!("http://{orchestrator}"));
        own.set("SMTP_URL", &format!("smtp://{smtp}"));
        own.set("MAIL_URL", &format!("http://{mail}"));
        own.set("SECRET_KEY", &random_secret()?);
        own.set("ORCHESTRATOR_CREDENTIAL", &random_secret()?);
        Ok(own)
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match self.changes.get(name) {
            Some(change) => change.clone(),
            None => inherited(name),
        }
    }

    /// What a variable is; empty when it is not set.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.changes.insert(name.to_owned(), Some(value.to_owned()));
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a variable that is not set yet, or is empty.
    pub fn set_default(&mut self, name: &str, value: &str) {
        if self.text(name).is_empty() {
            self.set(name, value);
        }
    }

    /// Takes from a file like `.env.example` what is not set yet. An empty value counts as set: it may mean "none".
    pub fn use_defaults(&mut self, file: &Path) -> anyhow::Result<()> {
        for (name, value) in pairs(&read(file)?) {
            if name != "DATABASE_URL" && self.get(name).is_none() {
                self.set(name, value);
            }
        }
        Ok(())
    }

    /// Puts a folder before all others in which programs are looked for.
    pub fn prefer_programs_of(&mut self, folder: &Path) {
        let path = self.text("PATH");
        self.set("PATH", &format!("{}:{path}", folder.display()));
    }

    /// What differs from this process's own environment.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.changes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

/// 256 random bits in hexadecimal, as `SECRET_KEY` wants it.
pub fn random_secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut device| device.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// The lines `NAME=value` of a file of settings.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let is_name = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_name.then_some((name, value))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program hands its environment on; what it means is for server::config"
)]
fn inherited(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_settings_and_values_may_hold_anything() {
        let text = "# LOG=debug\nLOG=info\n\nDATABASE_URL=\nMAIL_FROM=Isorun <a@b>\nlower=1\nA B=1\nX_1=a=b";
        let found: Vec<_> = pairs(text).collect();
        assert_eq!(
            found,
            [
                ("LOG", "info"),
                ("DATABASE_URL", ""),
                ("MAIL_FROM", "Isorun <a@b>"),
                ("X_1", "a=b")
            ]
        );
    }

    #[test]
    fn a_run_of_its_own_has_every_setting_of_the_example_and_its_own_addresses() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let own = Environment::own(&root).unwrap();
        for (name, _) in pairs(&std::fs::read_to_string(root.join(".env.example")).unwrap()) {
            assert!(name == "DATABASE_URL" || own.get(name).is_some(), "{name}");
        }
        assert_eq!(
            own.text("PUBLIC_ORIGIN"),
            format!("http://{}", own.text("LISTEN_ADDR"))
        );
        assert_ne!(own.text("LISTEN_ADDR"), "127.0.0.1:3000");
        assert_eq!(own.text("SECRET_KEY").len(), 64);
    }
}
