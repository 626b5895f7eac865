//! Ceilings are said once: what `domain` lets through, the columns take. A length that the database knows and the domain does
//! not would be a 500 for whoever types one sign more.

use std::collections::BTreeMap;

use backend::alerts::{recipients, webhook};
use backend::{keys, limit};
use domain::ceilings::{
    EMAIL_CHARS_MAX, GRANT_NOTE_CHARS_MAX, KEY_NAME_CHARS_MAX, WEBHOOK_URL_CHARS_MAX,
};
use sqlx::PgPool;

use crate::world::World;

/// Every check of the catalogue that bounds a length, and the ceiling that it is.
const LENGTHS: [(&str, usize); 4] = [
    ("keys_name_is_short", KEY_NAME_CHARS_MAX),
    ("grants_note_is_short", GRANT_NOTE_CHARS_MAX),
    ("webhooks_url_is_short", WEBHOOK_URL_CHARS_MAX),
    // Nobody types it: a redirect with cookies of at most 4 KiB each.
    ("form_answers_answer_is_short", 64 * 1_024),
];

/// The largest number in the text of a constraint.
fn bound(definition: &str) -> usize {
    let digits = definition.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|word| word.parse().ok()).max().unwrap()
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_length_of_the_database_is_a_ceiling_of_the_domain(pool: PgPool) {
    let rows = sqlx::query!(
        r#"SELECT conname::text AS "name!", pg_get_constraintdef(oid) AS "definition!" FROM pg_constraint
           WHERE contype = 'c' AND connamespace = 'public'::regnamespace
             AND pg_get_constraintdef(oid) ~ '(char_|octet_|bit_)?length\('
             AND pg_get_constraintdef(oid) ~ '<='"#
    );
    let rows = rows.fetch_all(&pool).await.unwrap();
    let found: BTreeMap<String, usize> = rows
        .into_iter()
        .map(|row| (row.name, bound(&row.definition)))
        .collect();
    let known = LENGTHS.map(|(name, ceiling)| (name.to_owned(), ceiling));
    assert_eq!(
        found,
        BTreeMap::from(known),
        "left: the catalogue, right: domain::ceilings, by the list here"
    );
}

/// The longest of everything that a person types, in signs that take the most bytes: none is refused by a column, a key
/// or an index.
#[sqlx::test(migrations = "../../migrations")]
async fn the_longest_that_is_accepted_is_stored(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let backend = &world.backend;
    let name = "\u{20000}".repeat(KEY_NAME_CHARS_MAX);
    keys::create(backend, &ada, &name).await.unwrap();
    let url = format!(
        "https://example.org/{}",
        "x".repeat(WEBHOOK_URL_CHARS_MAX - 20)
    );
    assert_eq!(url.chars().count(), WEBHOOK_URL_CHARS_MAX);
    webhook::set(backend, &ada, &url).await.unwrap();
    limit::set(backend, &ada, "1000000").await.unwrap();
    let domain = format!("{}example", "a.".repeat((EMAIL_CHARS_MAX - 72) / 2));
    let email = format!("{}@{domain}", "x".repeat(64));
    assert_eq!(email.chars().count(), EMAIL_CHARS_MAX);
    recipients::add(backend, &ada, &email).await.unwrap();
    world.work().await;
}
