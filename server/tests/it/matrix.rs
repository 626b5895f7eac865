//! Who may do what, from `domain::act` to the endpoint: every act is posted by every role, and is denied exactly when its rule says
//! so. A new act fails to compile here until it has a form and a state in which it can be done; a new endpoint fails in
//! `actions` until it is an act.

use domain::act::{Act, Denial, Person, Who};
use domain::role::Role;
use sqlx::PgPool;

use crate::actions::{key_id, rows};
use crate::browser::{Browser, Page};
use crate::world::{OPENING, PASSWORD, World};

/// What the form of an act sends.
pub struct Form {
    /// Names and values that are in order.
    pub fields: &'static [(&'static str, &'static str)],
    /// The field that names a thing of an account; its value here is nobody's.
    pub takes: Option<&'static str>,
}

const fn form_of(fields: &'static [(&'static str, &'static str)]) -> Form {
    Form {
        fields,
        takes: None,
    }
}

/// The form of every act.
pub const fn form(act: Act) -> Form {
    match act {
        Act::SignUp => form_of(&[("email", "new@example.org")]),
        Act::AccountOpen => form_of(&OPENING),
        Act::SignIn => form_of(&[("email", "new@example.org"), ("password", PASSWORD)]),
        Act::KeyCreate => form_of(&[("name", "ci")]),
        Act::LimitSet => form_of(&[("monthly", "25")]),
        Act::AlertsChoose => form_of(&[("percent_80", "yes")]),
        Act::RecipientAdd => form_of(&[("recipient", "ops@example.net")]),
        Act::WebhookSet => form_of(&[("url", "https://example.org/hook")]),
        Act::KeyRevoke => Form {
            fields: &[("key_id", "01890000-0000-7000-8000-000000000001")],
            takes: Some("key_id"),
        },
        Act::SandboxSetTimeout => Form {
            fields: &[("sandbox_id", "run0nobody"), ("minutes", "5")],
            takes: Some("sandbox_id"),
        },
        Act::RecipientResend | Act::RecipientRemove => Form {
            fields: &[("recipient_id", "01890000-0000-7000-8000-000000000001")],
            takes: Some("recipient_id"),
        },
        Act::SignOut
        | Act::LimitRemove
        | Act::RecipientAgree
        | Act::RecipientStop
        | Act::WebhookRenew
        | Act::WebhookRemove
        | Act::WebhookTest
        | Act::CalendarCreate
        | Act::CalendarRevoke
        | Act::MailRefuse
        | Act::MailAllow => form_of(&[]),
    }
}

/// Where the form of an act is posted to.
pub fn path(act: Act) -> String {
    format!("/api/{}", act.rule().endpoint)
}

/// How the page begins to say that an act was denied.
pub fn denied(denial: Denial) -> String {
    match denial {
        Denial::Forbidden(act) => {
            format!("Your role in this account may not {}.", act.rule().what)
        }
        Denial::Unproven(_) => "Confirm that it is you".to_owned(),
    }
}

/// A signed-in browser of somebody with an account of their own, in which they can be given any role.
struct Someone<'a> {
    world: &'a World,
    browser: Browser,
    email: String,
}

/// Lines of the audit log that are no act's: what follows from one.
const FOLLOWS: [&str; 1] = ["credit.granted"];

/// Who an owner is in these tests, and what everybody is while a state is prepared.
const OWNER: Person = Person {
    role: Some(Role::Owner),
    // Nobody is asked for a fresh proof yet.
    is_proven: false,
};

impl Someone<'_> {
    /// Gives them a role.
    async fn stand_as(&self, person: Person) {
        #[expect(clippy::disallowed_methods, reason = "no service changes a role yet")]
        let stood = sqlx::query(
            "UPDATE memberships AS m SET role = $2 FROM users AS u WHERE u.email = $1 AND m.user_id = u.user_id",
        );
        let role = person.role.map(Role::as_str);
        let stood = stood.bind(&self.email).bind(role);
        let stood = stood.execute(&self.world.owner).await.unwrap();
        assert_eq!(stood.rows_affected(), 1);
    }

    /// Posts an act's form as it is.
    async fn post(&mut self, act: Act) {
        let answer = self.browser.post(&path(act), form(act).fields).await;
        self.browser.follow(answer).await;
    }

    /// Asks somebody new to be told of alerts; their address.
    async fn ask(&mut self, act: Act) -> String {
        let email = format!("{act:?}.{}", self.email).to_lowercase();
        let fields = [("recipient", email.as_str())];
        let answer = self.browser.post(&path(Act::RecipientAdd), &fields).await;
        self.browser
            .follow(answer)
            .await
            .says("asked, has not agreed");
        email
    }

    /// The id of a recipient, from the page.
    async fn recipient(&mut self, email: &str) -> String {
        let page = self.browser.get("/alerts").await.at("/alerts");
        let row = page.body.split(&format!(">{email}</span>")).nth(1).unwrap();
        let id = row.split("name=\"recipient_id\" value=\"").nth(1).unwrap();
        id[..36].to_owned()
    }

    /// Follows the link in the newest mail to an address.
    async fn follow_mail(&mut self, email: &str, page: &str) {
        self.world.work().await;
        let mails = self.world.mail.mails();
        let is_theirs = |mail: &&peers::mail::Mail| mail.to.iter().any(|to| to == email);
        let text = &mails.iter().rev().find(is_theirs).unwrap().text;
        let token = text.split(&format!("{page}/")).nth(1).unwrap();
        let token = token.split_whitespace().next().unwrap();
        self.browser
            .get(&format!("{page}/{token}"))
            .await
            .leads_to(page);
    }

    /// A sandbox that runs and that the dashboard knows.
    async fn sandbox(&mut self) -> String {
        let answer = self
            .browser
            .post("/api/key/create", &[("name", "of the sandbox")])
            .await;
        let page = self.browser.follow(answer).await.at("/keys/created");
        let key = page.body.split("ISORUN_API_KEY=").nth(1).unwrap();
        let is_of_key = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let key = key.split(|one| !is_of_key(one)).next().unwrap();
        self.world.work().await;
        let sandbox_id = self.world.start(key).await;
        self.world.meter().await;
        sandbox_id
    }

    /// Makes, as an owner, the state in which the act can be done; gives what to send.
    async fn prepare(&mut self, act: Act) -> Vec<(&'static str, String)> {
        self.stand_as(OWNER).await;
        let typed = form(act).fields.iter();
        let mut fields: Vec<_> = typed
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let fresh = format!("{act:?}.{}", self.email).to_lowercase();
        match act {
            Act::SignUp | Act::RecipientAdd => fields[0].1 = fresh,
            Act::SignIn => fields[0].1.clone_from(&self.email),
            Act::AccountOpen => {
                let mut other = self.world.browser();
                let typed = [("email", fresh.as_str())];
                other.post(&path(Act::SignUp), &typed).await;
                self.follow_mail(&fresh, "/open-account").await;
                // They are signed in, so the page asks whether they want to leave.
                let page = self.browser.get("/open-account").await.at("/open-account");
                fields.push(("leaving", value_of(&page, "leaving")));
            }
            // No two live keys have the same name.
            Act::KeyCreate => fields[0].1 = "of the act".to_owned(),
            Act::KeyRevoke => {
                self.post(Act::KeyCreate).await;
                fields[0].1 = key_id(&self.browser.get("/keys").await);
            }
            Act::SandboxSetTimeout => fields[0].1 = self.sandbox().await,
            Act::RecipientResend | Act::RecipientRemove => {
                let email = self.ask(act).await;
                fields[0].1 = self.recipient(&email).await;
            }
            Act::RecipientAgree | Act::RecipientStop => {
                let email = self.ask(act).await;
                self.follow_mail(&email, "/alert-recipient").await;
            }
            Act::MailRefuse | Act::MailAllow => {
                let email = self.ask(act).await;
                self.follow_mail(&email, "/no-more-mail").await;
                if act == Act::MailAllow {
                    self.post(Act::MailRefuse).await;
                }
            }
            Act::LimitRemove => self.post(Act::LimitSet).await,
            Act::WebhookRenew | Act::WebhookRemove => self.post(Act::WebhookSet).await,
            // A host of their own: tests of all accounts to one host are counted together.
            Act::WebhookTest => {
                let url = format!("https://{}/hook", fresh.replace('@', "."));
                let answer = self
                    .browser
                    .post(&path(Act::WebhookSet), &[("url", &url)])
                    .await;
                self.browser.follow(answer).await;
            }
            Act::CalendarCreate => self.post(Act::CalendarRevoke).await,
            Act::CalendarRevoke => self.post(Act::CalendarCreate).await,
            Act::SignOut | Act::LimitSet | Act::AlertsChoose | Act::WebhookSet => {}
        }
        fields
    }

    /// Posts the act as this person and holds what happens against its rule.
    async fn holds(&mut self, act: Act, person: Person) {
        let fields = self.prepare(act).await;
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        self.stand_as(person).await;
        let (before, lines) = (rows(self.world).await, audit(self.world).await);
        let answer = self.browser.post(&path(act), &fields).await;
        let page = self.browser.follow(answer).await;
        let written = audit(self.world).await.split_off(lines.len());
        let when = format!("{act:?} as {person:?}: {}", page.words());
        match act.allows(person) {
            Ok(()) => {
                assert!(!page.body.contains("id=\"errors\""), "{when}");
                let of_acts = written
                    .iter()
                    .filter(|(_, word)| !FOLLOWS.contains(&&**word));
                let (who, words): (Vec<_>, Vec<_>) =
                    of_acts.map(|(who, word)| (who, &**word)).unzip();
                assert_eq!(words, Vec::from_iter(act.rule().word), "{when}");
                if matches!(act.rule().who, Who::Member(_)) {
                    assert_eq!(who, [&self.email], "{when}");
                }
            }
            Err(denial) => {
                assert!(page.words().contains(&denied(denial)), "{when}");
                let is_for_good = matches!(denial, Denial::Forbidden(_));
                // That a role does not allow it is noted, and nothing else happens.
                let noted = is_for_good.then(|| (self.email.clone(), "act.denied".to_owned()));
                assert_eq!(written, Vec::from_iter(noted), "{when}");
                let mut after = rows(self.world).await;
                after.pop();
                assert_eq!(after, before[..after.len()], "{when}");
                let is_offered = page.body.contains(&format!("action=\"{}\"", path(act)));
                assert!(!(is_offered && is_for_good), "offered all the same: {when}");
            }
        }
    }

    /// Whether an act left them signed in as themselves; if not, they sign in.
    async fn return_after(&mut self, act: Act) {
        if matches!(act, Act::SignIn | Act::SignOut | Act::AccountOpen) {
            self.browser = self.world.browser();
            let pair = [("email", self.email.as_str()), ("password", PASSWORD)];
            let answer = self.browser.post(&path(Act::SignIn), &pair).await;
            self.browser.follow(answer).await.at("/overview");
        }
    }
}

/// What a hidden field of a page holds.
pub fn value_of(page: &Page, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.body.split(&field).nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}

/// Every line of the audit log, oldest first: whose act, and its word.
async fn audit(world: &World) -> Vec<(String, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "pages show no account the lines of another"
    )]
    let lines = sqlx::query_as(
        "SELECT coalesce(u.email, ''), a.action FROM audit_events AS a LEFT JOIN users AS u ON u.user_id = a.actor_id
         ORDER BY a.happened_at, a.audit_event_id",
    );
    lines.fetch_all(&world.owner).await.unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn every_act_is_denied_to_every_role_that_its_rule_leaves_out_and_to_no_other(pool: PgPool) {
    let world = World::new(pool).await;
    let of_role = |role| Person {
        role: Some(role),
        ..OWNER
    };
    let people = Role::ALL.map(of_role).into_iter();
    for (number, person) in people.enumerate() {
        let email = format!("person{number}@example.org");
        let mut someone = Someone {
            world: &world,
            browser: world.customer(&email).await,
            email,
        };
        for act in Act::ALL.iter().copied() {
            someone.holds(act, person).await;
            someone.return_after(act).await;
        }
        // The test that was asked for is not posted to anybody.
        someone.stand_as(OWNER).await;
        someone.post(Act::WebhookRemove).await;
    }
}

#[test]
fn what_is_not_recorded_is_of_no_account() {
    let unrecorded = Act::ALL
        .iter()
        .copied()
        .filter(|act| act.rule().word.is_none());
    let unrecorded: Vec<_> = unrecorded.collect();
    // An address that asks for an account has none yet, and one that refuses mail is of none.
    assert_eq!(unrecorded, [Act::SignUp, Act::MailRefuse, Act::MailAllow]);
}
