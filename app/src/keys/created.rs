//! The one page that shows a new key. It empties the sealed cookie the key came in, so a reload shows nothing.

use backend::Backend;
use backend::keys::CreatedKey;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::action::sealed::{self, SealedCookie};
use crate::frame::copy;
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::snippet;

/// A minute, and for this page only.
const COOKIE: SealedCookie = SealedCookie::new("new_key", "/keys/created", 60);

/// A key on its way to the page that shows it. Its `Debug` hides the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    pub name: String,
    pub text: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Sends a new key to the page that shows it.
pub fn keep(backend: &Backend, key: &CreatedKey) {
    sealed::put(
        backend,
        &COOKIE,
        &NewKey {
            name: key.name.clone(),
            text: key.text.expose().to_owned(),
        },
    );
}

/// `/keys/created`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(visit: Visit) -> Result<Page, Stop> {
    layout::shows_a_secret();
    Ok(match sealed::take::<NewKey>(&visit.backend, &COOKIE) {
        Some(key) => {
            Page::new(format!("Key {} created", key.name), shown(&visit, &key)).shown_once()
        }
        None => Page::new("Key created", gone()),
    })
}

fn shown(visit: &Visit, key: &NewKey) -> AnyView {
    let line = format!("ISORUN_API_KEY={}", key.text);
    view! {
        <section class="section" aria-labelledby="the-key">
            <h2 id="the-key">"Store it now: it is shown this once"</h2>
            <p>"Only a fingerprint of it is kept here. Lost means revoke it and create another."</p>
            <div class="secret">
                <code class="secret__text" id="new-key">{key.text.clone()}</code>
                {copy::button(key.text.clone(), "the key")}
            </div>
            {snippet::code(".env", "the line for .env", line)}
            <div class="form__actions"><a class="button button--primary" href="/overview">"I have stored it"</a></div>
        </section>
        <section class="section" aria-labelledby="first-use">
            <h2 id="first-use">"Start a sandbox with it"</h2>
            {snippet::first_sandbox(&visit.backend, &key.text)}
        </section>
    }
    .into_any()
}

fn gone() -> AnyView {
    view! {
        <div class="empty">
            <h2 class="empty__title">"The key was shown and is gone from here"</h2>
            <p>"It stands nowhere on our side. If it was not stored, revoke it in the list and create another."</p>
            <a class="button" href="/keys">"Keys"</a>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::sealed::Sealer;

    #[test]
    fn a_key_stays_on_its_page() {
        let key = NewKey {
            name: "ci".to_owned(),
            text: "sk_live_us_secret".to_owned(),
        };
        assert!(!format!("{key:?}").contains("secret"));
        let cookie = Sealer::at(true, 0).seal(&COOKIE, &key).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(
            text.contains("Path=/keys/created")
                && text.contains("Max-Age=60")
                && text.contains("Secure"),
            "{text}"
        );
        assert!(!text.contains("sk_live"));
    }
}
