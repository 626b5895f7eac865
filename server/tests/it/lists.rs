//! Lists that are searched, on the page: the field keeps what was typed and the state, the way on keeps both, signs are signs.

use sqlx::PgPool;

use crate::world::World;

#[sqlx::test(migrations = "../migrations")]
async fn a_list_is_searched_by_a_form_that_needs_no_script(pool: PgPool) {
    let world = World::new(pool).await;
    let mut ada = world.customer("ada@example.org").await;
    for name in ["nightly build", "50%_off"] {
        ada.post("/api/key/create", &[("name", name)]).await;
    }
    let found = ada.get("/keys?q=NIGHT").await.at("/keys");
    found.says("nightly build");
    assert!(!found.body.contains("50%_off") && found.body.contains("value=\"NIGHT\""));
    let found = ada.get("/keys?q=%25_").await.at("/keys");
    found.says("50%_off");
    assert!(!found.body.contains("nightly"), "a sign stands for itself");
    ada.get("/keys?q=%00%07")
        .await
        .at("/keys")
        .says("nightly build");
    ada.get("/keys?q=%5C")
        .await
        .at("/keys")
        .says("No key has “\\”");
    let none = ada
        .get("/sandboxes?state=running&q=%3Cb")
        .await
        .at("/sandboxes");
    none.says("has an id that begins with “<b”");
    assert!(
        none.body.contains("name=\"state\" value=\"running\""),
        "the state stays"
    );
    assert!(
        none.body
            .contains("href=\"/sandboxes?state=destroyed&amp;q=%3Cb\""),
        "{}",
        none.body
    );
    assert!(!none.body.contains("“<b"));
}
