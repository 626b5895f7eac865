//! Opening an account by the link that was mailed to its owner: user, address, account, acceptances, credit and what the
//! orchestrator is told, all in one transaction and once for an address.

use domain::act::Act;
use domain::ceilings::SIGN_UP_CREDIT_CENTS;
use domain::country::Country;
use domain::document::Document;
use domain::email::EmailAddress;
use domain::id::{AcceptanceId, AccountId, GrantId, RecipientId, UserId};
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use domain::password::{NewPassword, PasswordProblem};
use domain::role::Role;
use domain::sign_up::{OpeningProblem, OpeningRefusal};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::accounts::{self, Acceptance, tenant::PushTenant};
use crate::alerts::recipients;
use crate::audit;
use crate::authority::actor::Actor;
use crate::authority::change::{Line, OpenChange};
use crate::failure::{Broken, Failure};
use crate::forecast::allowance;
use crate::identity::users::{self, NewUser};
use crate::ledger::{self, GrantReason, NewGrant, NewTransfer, System, TransferKind};
use crate::queue;
use crate::secret::sha256;
use crate::sign_up::store;
use crate::{Backend, random};

/// What a mailed link leads to.
pub enum Link {
    /// Nothing: its day is over, or it is not ours.
    Dead,
    /// The account of this address, which is open already, by this link or another.
    AlreadyOpen(EmailAddress),
    /// The account of this address, which can be opened.
    Ready(EmailAddress),
}

/// What is typed and ticked to open an account.
pub struct Opening {
    /// The password.
    pub password: String,
    /// ISO 3166-1 alpha-2, as chosen from the list.
    pub country: String,
    /// Terms of Service accepted.
    pub terms: bool,
    /// Acceptable Use Policy accepted.
    pub aup: bool,
    /// Data Processing Agreement accepted.
    pub dpa: bool,
    /// Export statement made.
    pub export_statement: bool,
    /// Who was told that this signs them out, by their id; empty when the form saw nobody signed in.
    pub leaving: String,
}

/// What passed every rule.
struct Checked {
    password: NewPassword,
    country: Country,
}

/// Looks where a link leads. Changes nothing: mail scanners follow links too.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sign_up.link")]
pub async fn link(backend: &Backend, token: &str) -> Result<Link, Broken> {
    let mut db = backend.pool().acquire().await?;
    let now = backend.clock().now();
    let found = store::by_token(&mut db, &sha256(token.as_bytes()), now).await?;
    let Some(email) = found else {
        return Ok(Link::Dead);
    };
    let email = EmailAddress::parse(&email)
        .map_err(|_| Broken::new("stored address of a sign-up cannot be read"))?;
    let user = users::by_email(&mut db, &email.canonical()).await?;
    Ok(if user.is_some() {
        Link::AlreadyOpen(email)
    } else {
        Link::Ready(email)
    })
}

/// Opens the account that the link is for. Whoever is signed in in the same browser was told that this signs them out.
///
/// # Errors
/// [`OpeningRefusal`] with every problem at once, or broken.
#[tracing::instrument(skip_all, name = "sign_up.open")]
pub async fn open(
    backend: &Backend,
    token: &str,
    signed_in: Option<&Actor>,
    typed: Opening,
) -> Result<UserId, Failure<OpeningRefusal>> {
    // Before anything is hashed: who has no link makes no work.
    let email = match link(backend, token).await? {
        Link::Dead => return Err(refused(OpeningProblem::LinkDead)),
        Link::AlreadyOpen(_) => return Err(refused(OpeningProblem::AlreadyOpen)),
        Link::Ready(email) => email,
    };
    let checked = check(backend, &email, signed_in, &typed).map_err(Failure::Refused)?;
    let password_hash = backend.passwords().hash(checked.password).await?;
    let mut change = OpenChange::begin(backend, Act::AccountOpen).await?;
    let now = change.now();
    let user_id = UserId(random::id(now));
    let user = NewUser {
        user_id,
        email: email.as_str(),
        canonical: &email.canonical(),
        password_hash: &password_hash,
        country: checked.country.code(),
    };
    if !users::insert(&mut change, &user, now).await? {
        // Somebody was faster, with this link or another of the same address.
        return Err(refused(OpeningProblem::AlreadyOpen));
    }
    let account_id = make_account(backend, &mut change, user_id, &email, now).await?;
    give_sign_up_credit(&mut change, account_id, user_id, now).await?;
    allowance::first(backend, &mut change, account_id).await?;
    let job = PushTenant {
        account_id,
        generation: accounts::FIRST_GENERATION,
    };
    queue::enqueue(&mut change, account_id, &job, now).await?;
    let line = Line {
        account_id,
        user_id: Some(user_id),
        subject: account_id.to_string(),
    };
    change.commit(line, &[]).await?;
    Ok(user_id)
}

fn refused(problem: OpeningProblem) -> Failure<OpeningRefusal> {
    Failure::Refused(OpeningRefusal(vec![problem]))
}

fn check(
    backend: &Backend,
    email: &EmailAddress,
    signed_in: Option<&Actor>,
    typed: &Opening,
) -> Result<Checked, OpeningRefusal> {
    let mut problems = Vec::new();
    if signed_in.is_some_and(|actor| actor.user_id().to_string() != typed.leaving) {
        problems.push(OpeningProblem::SomebodySignedIn);
    }
    let password = NewPassword::parse(&typed.password, Some(email)).map_err(|problem| {
        problems.push(match problem {
            PasswordProblem::TooShort => OpeningProblem::PasswordTooShort,
            PasswordProblem::TooLong => OpeningProblem::PasswordTooLong,
            PasswordProblem::Common => OpeningProblem::PasswordCommon,
            PasswordProblem::Pattern => OpeningProblem::PasswordPattern,
            PasswordProblem::FromAddress => OpeningProblem::PasswordFromAddress,
        });
    });
    let country = Country::parse(&typed.country);
    match country {
        None => problems.push(OpeningProblem::CountryUnknown),
        Some(country) if backend.settings().refused_countries.contains(&country) => {
            problems.push(OpeningProblem::CountryRefused);
        }
        Some(_) => {}
    }
    let consents = [
        (typed.terms, OpeningProblem::TermsMissing),
        (typed.aup, OpeningProblem::AupMissing),
        (typed.dpa, OpeningProblem::DpaMissing),
        (
            typed.export_statement,
            OpeningProblem::ExportStatementMissing,
        ),
    ];
    problems.extend(
        consents
            .iter()
            .filter(|(given, _)| !given)
            .map(|(_, problem)| *problem),
    );
    match (password, country) {
        (Ok(password), Some(country)) if problems.is_empty() => Ok(Checked { password, country }),
        _ => Err(OpeningRefusal(problems)),
    }
}

async fn make_account(
    backend: &Backend,
    db: &mut PgConnection,
    user_id: UserId,
    email: &EmailAddress,
    now: OffsetDateTime,
) -> Result<AccountId, Broken> {
    let account_id = AccountId(random::id(now));
    let region = backend.settings().region.to_string();
    // An account needs a word to be called by; its owner can change it. The domain names a team better than a person.
    accounts::insert(db, account_id, email.domain(), &region, now).await?;
    accounts::insert_membership(db, account_id, user_id, Role::Owner, now).await?;
    let recipient_id = RecipientId(random::id(now));
    recipients::insert_member(db, account_id, recipient_id, user_id, now).await?;
    let versions = &backend.settings().documents;
    for document in Document::ALL {
        let version = match document {
            // Terms 14 holds the statement, so it shares their version.
            Document::Terms | Document::ExportStatement => &versions.terms,
            Document::Aup => &versions.aup,
            Document::Dpa => &versions.dpa,
        };
        let acceptance_id = AcceptanceId(random::id(now));
        let acceptance = Acceptance {
            acceptance_id,
            account_id,
            user_id,
            document,
            version,
        };
        accounts::insert_acceptance(db, &acceptance, now).await?;
    }
    Ok(account_id)
}

/// Terms 4: new accounts receive $50. The grant is unique per account and the transfer has its own key, so no path and no
/// race can give it twice.
async fn give_sign_up_credit(
    db: &mut PgConnection,
    account_id: AccountId,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let grant_id = GrantId(random::id(now));
    let amount = Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS));
    let grant = NewGrant {
        grant_id,
        reason: GrantReason::SignUp,
        amount,
        priority: 0,
        starts_at: Moment::from(now).hour(),
        ends_at: None,
        note: "",
    };
    ledger::insert_grant(db, account_id, &grant, now).await?;
    let promo = ledger::system_account(db, account_id, System::PromoCost, now).await?;
    let transfer = NewTransfer {
        debit: promo,
        credit: grant_id.0.into(),
        ticks: amount,
        kind: TransferKind::Grant,
        key: "grant:sign_up".to_owned(),
        service_hour: None,
    };
    ledger::append(db, account_id, &[transfer], now).await?;
    accounts::mark_stale(db, &[account_id]).await?;
    let by = (account_id, Some(user_id));
    audit::append(db, by, audit::CREDIT_GRANTED, &grant_id.to_string(), now).await
}
