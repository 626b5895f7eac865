//! Why somebody may not do something, in one sentence made from the row of the act: what it is, and who may.

use domain::act::{Act, Denial, Who};
use domain::role::Role;

pub(crate) fn sentence(denial: Denial) -> String {
    match denial {
        Denial::Forbidden(act) => format!(
            "Your role in this account may not {}. Ask an {}.",
            act.rule().what,
            who_may(act)
        ),
        Denial::Unproven(_) => "Confirm that it is you, then do this again.".to_owned(),
    }
}

/// Such as "owner, admin or billing member".
fn who_may(act: Act) -> String {
    let roles: &[Role] = match act.rule().who {
        Who::Member(roles) => roles,
        Who::Anyone => &[],
    };
    let name = |role: &Role| match role {
        Role::Billing => "billing member",
        other => other.as_str(),
    };
    let mut names: Vec<&str> = roles.iter().map(name).collect();
    let last = names.pop().unwrap_or("owner");
    if names.is_empty() {
        last.to_owned()
    } else {
        format!("{} or {last}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_what_and_who() {
        assert_eq!(
            sentence(Denial::Forbidden(Act::LimitSet)),
            "Your role in this account may not change the limit. Ask an owner, admin or billing member."
        );
        assert_eq!(
            sentence(Denial::Forbidden(Act::KeyRevoke)),
            "Your role in this account may not change keys. Ask an owner, admin or developer."
        );
        for act in Act::ALL.iter().copied() {
            let said = sentence(Denial::Forbidden(act));
            assert!(said.len() < 140 && !said.contains('!'), "{said}");
        }
    }
}
