//! What a person can do that changes something: one row per act, read by the subject that does it, the page that offers it,
//! the audit log and a generated test. How an act is done is its subject's; reading is no act.

use strum::VariantArray;

use crate::role::Role;

/// Something a person does. A new one needs a row in [`Act::rule`], and the compiler asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
pub enum Act {
    /// Asks for an account: has a link mailed to an address.
    SignUp,
    /// Opens the account by that link.
    AccountOpen,
    /// Begins a session.
    SignIn,
    /// Ends it.
    SignOut,
    /// Makes a key.
    KeyCreate,
    /// Revokes one.
    KeyRevoke,
    /// Sets the auto-destroy timer of a sandbox.
    SandboxSetTimeout,
    /// Sets the monthly limit.
    LimitSet,
    /// Removes it.
    LimitRemove,
    /// Chooses which alerts are given.
    AlertsChoose,
    /// Puts somebody on the list of who is told of alerts.
    RecipientAdd,
    /// Has somebody on that list asked again.
    RecipientResend,
    /// Takes somebody off that list.
    RecipientRemove,
    /// Agrees to be told, by the link that was mailed.
    RecipientAgree,
    /// Ends being told, by the same link.
    RecipientStop,
    /// Sets the webhook's address.
    WebhookSet,
    /// Gives the webhook another secret.
    WebhookRenew,
    /// Removes the webhook.
    WebhookRemove,
    /// Has a test posted to the webhook.
    WebhookTest,
    /// Makes a link to a calendar feed of one's own.
    CalendarCreate,
    /// Revokes it.
    CalendarRevoke,
    /// Refuses mail that others have sent to one's address, by the link in such a mail.
    MailRefuse,
    /// Takes that back, by the same link.
    MailAllow,
}

/// Who may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody: a stranger, or the holder of a mailed link. The act decides by what is typed or by the link.
    Anyone,
    /// A member of the account with one of these roles.
    Member(&'static [Role]),
}

/// How sure it must be that the person at the keyboard is the one who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The session is enough.
    Session,
    /// They have proved it within the last ten minutes.
    Fresh,
}

/// The row of an act.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The word in the audit log, such as `key.revoked`. Stored for years: never rename it. None for acts about an address
    /// that is of no account, or not yet.
    pub word: Option<&'static str>,
    /// Who may.
    pub who: Who,
    /// How sure it must be that it is them.
    pub proof: Proof,
    /// The address of its form, below `/api/`.
    pub endpoint: &'static str,
    /// What it is called in "Your role may not …".
    pub what: &'static str,
}

/// Who may change keys, and command what keys start.
const KEYS: &[Role] = &[Role::Owner, Role::Admin, Role::Developer];
/// Who may change what is spent, who is warned, and take its figures out of a session: a calendar link shows them to whoever
/// has it.
const MONEY: &[Role] = &[Role::Owner, Role::Admin, Role::Billing];

impl Rule {
    const fn new(endpoint: &'static str, word: &'static str, who: Who, what: &'static str) -> Self {
        Self {
            word: Some(word),
            who,
            proof: Proof::Session,
            endpoint,
            what,
        }
    }

    const fn member(
        endpoint: &'static str,
        word: &'static str,
        roles: &'static [Role],
        what: &'static str,
    ) -> Self {
        Self::new(endpoint, word, Who::Member(roles), what)
    }

    const fn anyone(endpoint: &'static str, word: &'static str) -> Self {
        Self::new(endpoint, word, Who::Anyone, "do this")
    }

    const fn unrecorded(self) -> Self {
        Self { word: None, ..self }
    }
}

/// Why a person may not do something now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Their role may not.
    Forbidden(Act),
    /// They must prove again that it is them.
    Unproven(Act),
}

/// What is known of a person when they want to do something.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Their role in the account; none for a stranger.
    pub role: Option<Role>,
    /// They have proved within the last ten minutes that it is them.
    pub is_proven: bool,
}

impl Act {
    /// Every act, in the order above.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// Its row.
    #[rustfmt::skip]
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            // Its log begins with the opening.
            Self::SignUp => Rule::anyone("account/sign-up", "").unrecorded(),
            Self::AccountOpen => Rule::anyone("account/open", "account.opened"),
            Self::SignIn => Rule::anyone("session/sign-in", "user.signed_in"),
            Self::SignOut => Rule::anyone("session/sign-out", "user.signed_out"),
            Self::KeyCreate => Rule::member("key/create", "key.created", KEYS, "change keys"),
            Self::KeyRevoke => Rule::member("key/revoke", "key.revoked", KEYS, "change keys"),
            Self::SandboxSetTimeout => {
                Rule::member("sandbox/set-timeout", "sandbox.timeout_set", KEYS, "command sandboxes")
            }
            Self::LimitSet => Rule::member("limit/set", "limit.set", MONEY, "change the limit"),
            Self::LimitRemove => Rule::member("limit/remove", "limit.removed", MONEY, "change the limit"),
            Self::AlertsChoose => Rule::member("alert/choose", "alert.chosen", MONEY, "change alerts"),
            Self::RecipientAdd => Rule::member("alert/add-recipient", "alert.recipient_added", MONEY, "change alerts"),
            Self::RecipientResend => Rule::member("alert/resend", "alert.recipient_asked", MONEY, "change alerts"),
            Self::RecipientRemove => {
                Rule::member("alert/remove-recipient", "alert.recipient_removed", MONEY, "change alerts")
            }
            Self::RecipientAgree => Rule::anyone("alert/agree", "alert.recipient_agreed"),
            Self::RecipientStop => Rule::anyone("alert/stop", "alert.recipient_stopped"),
            Self::WebhookSet => Rule::member("webhook/set", "webhook.set", MONEY, "change the webhook"),
            Self::WebhookRenew => Rule::member("webhook/renew", "webhook.renewed", MONEY, "change the webhook"),
            Self::WebhookRemove => Rule::member("webhook/remove", "webhook.removed", MONEY, "change the webhook"),
            Self::WebhookTest => Rule::member("webhook/test", "webhook.tested", MONEY, "change the webhook"),
            Self::CalendarCreate => Rule::member("calendar/create", "calendar.created", MONEY, "have a calendar feed"),
            Self::CalendarRevoke => Rule::member("calendar/revoke", "calendar.revoked", MONEY, "have a calendar feed"),
            Self::MailRefuse => Rule::anyone("target/refuse-mail", "").unrecorded(),
            Self::MailAllow => Rule::anyone("target/allow-mail", "").unrecorded(),
        }
    }

    /// Whether this person may do it now.
    ///
    /// # Errors
    /// The first thing that stands in the way: role, then proof.
    pub fn allows(self, person: Person) -> Result<(), Denial> {
        let rule = self.rule();
        let has_role = match rule.who {
            Who::Anyone => true,
            Who::Member(roles) => person.role.is_some_and(|role| roles.contains(&role)),
        };
        if !has_role {
            Err(Denial::Forbidden(self))
        } else if rule.proof == Proof::Fresh && !person.is_proven {
            Err(Denial::Unproven(self))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const OWNER: Person = Person {
        role: Some(Role::Owner),
        is_proven: true,
    };

    #[test]
    fn every_act_has_an_endpoint_and_a_word_of_its_own() {
        let endpoints: BTreeSet<_> = Act::ALL.iter().map(|act| act.rule().endpoint).collect();
        assert_eq!(endpoints.len(), Act::ALL.len());
        let words: Vec<_> = Act::ALL.iter().filter_map(|act| act.rule().word).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        for word in words {
            let (noun, verb) = word.split_once('.').unwrap();
            let is_plain = |part: &str| part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(is_plain(noun) && is_plain(verb), "{word}");
        }
    }

    #[test]
    fn an_owner_may_do_everything_and_a_viewer_nothing_that_costs() {
        for act in Act::ALL {
            assert_eq!(act.allows(OWNER), Ok(()), "{act:?}");
            let viewer = Person {
                role: Some(Role::Viewer),
                ..OWNER
            };
            let is_free = matches!(act.rule().who, Who::Anyone)
                || matches!(act.rule().who, Who::Member(roles) if roles.len() == Role::ALL.len());
            assert_eq!(act.allows(viewer).is_ok(), is_free, "{act:?}");
        }
    }

    #[test]
    fn what_stands_in_the_way_is_told_in_order() {
        let stranger = Person {
            role: None,
            is_proven: false,
        };
        let act = Act::KeyCreate;
        assert_eq!(act.allows(stranger), Err(Denial::Forbidden(act)));
        let developer = Person {
            role: Some(Role::Developer),
            ..stranger
        };
        assert_eq!(act.allows(developer), Ok(()));
        assert_eq!(Act::SignUp.allows(stranger), Ok(()));
    }
}
