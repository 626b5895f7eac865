//! A calendar link opens one feed, alone, and is as good as the role of its person.

use backend::alerts;
use backend::alerts::calendar;
use backend::failure::Failure;
use backend::failure::Failure::Refused;
use backend::{limit, testing};
use domain::act::{Act, Denial};
use domain::calendar::CalendarRefusal;
use sqlx::PgPool;

use crate::outlook::{turn, with_seconds};
use crate::world::World;

async fn become_a(world: &World, role: Option<&str>) {
    let done = match role {
        Some(role) => {
            sqlx::query!("UPDATE memberships SET role = $1", role)
                .execute(&world.owner)
                .await
        }
        None => {
            sqlx::query!("DELETE FROM memberships")
                .execute(&world.owner)
                .await
        }
    };
    done.unwrap();
}

/// Links that open something, and those that the directory knows.
async fn links(world: &World) -> (i64, i64) {
    let links = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM calendars WHERE revoked_at IS NULL) AS "live!",
                  (SELECT count(*) FROM token_accounts WHERE kind = 'calendar') AS "known!""#
    );
    let links = links.fetch_one(&world.owner).await.unwrap();
    (links.live, links.known)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_calendar_link_dies_with_the_role_of_its_person(pool: PgPool) {
    let world = World::new(pool).await;
    let ada = world.customer("ada@example.org").await;
    let backend = &world.backend;
    for lost in [Some("viewer"), Some("developer"), None] {
        calendar::create(backend, &ada).await.unwrap();
        let page = alerts::read(&mut world.view(&ada).await, None)
            .await
            .unwrap();
        let (address, _) = page.calendar.unwrap();
        let token = address.rsplit('/').next().unwrap().to_owned();
        for role in ["admin", "billing", "owner"] {
            become_a(&world, Some(role)).await;
            assert!(calendar::feed(backend, &token).await.unwrap().is_some());
        }
        become_a(&world, lost).await;
        assert!(
            calendar::feed(backend, &token).await.unwrap().is_none(),
            "{lost:?}"
        );
        assert_eq!(links(&world).await, (0, 0), "{lost:?}");
        let Some(role) = lost else { break };
        // Nobody comes to a link by the way of a session either.
        let viewer = testing::actor(backend, ada.user_id()).await.unwrap();
        let outcome = calendar::create(backend, &viewer).await;
        let denial = Denial::Forbidden(Act::CalendarCreate);
        assert!(
            matches!(outcome, Err(Failure::Denied(found)) if found == denial),
            "{role}"
        );
        become_a(&world, Some("owner")).await;
        assert!(
            calendar::feed(backend, &token).await.unwrap().is_none(),
            "dead for good"
        );
    }
    let said = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM audit_events WHERE action = 'calendar.revoked' AND actor_id IS NULL"#
    );
    assert_eq!(
        said.fetch_one(&world.owner).await.unwrap(),
        3,
        "and the log says so"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_calendar_opens_by_its_link_alone(pool: PgPool) {
    let world = World::new(pool).await;
    world.control().set_speed(0).unwrap();
    let actor = with_seconds(&world, "ada@example.org", 100_000).await;
    let key = world.key(&actor).await;
    world.start(&key).await;
    limit::set(&world.backend, &actor, "500").await.unwrap();
    turn(&world).await;
    calendar::create(&world.backend, &actor).await.unwrap();
    assert!(matches!(
        calendar::create(&world.backend, &actor).await,
        Err(Refused(CalendarRefusal::AlreadyThere))
    ));
    let page = alerts::read(&mut world.view(&actor).await, None)
        .await
        .unwrap();
    let (address, _) = page.calendar.unwrap();
    let token = address.rsplit('/').next().unwrap().to_owned();
    let text = calendar::feed(&world.backend, &token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 2, "{text}");
    assert!(
        text.contains("Isorun credit ends at the present pace"),
        "{text}"
    );
    assert!(
        !text.contains("ada") && !text.contains(&actor.account_id().to_string()),
        "{text}"
    );
    assert!(calendar::feed(&world.backend, "x").await.unwrap().is_none());
    calendar::revoke(&world.backend, &actor).await.unwrap();
    assert!(
        calendar::feed(&world.backend, &token)
            .await
            .unwrap()
            .is_none()
    );
    assert!(calendar::revoke(&world.backend, &actor).await.is_err());
}
