//! Opening an account, signing in, confirming an address. Whether an address is known never shows: same words, same
//! work, and what differs arrives by mail.

pub mod confirm;

use domain::act::Act;
use domain::ceilings::VERIFICATION_MAILS_PER_HOUR;
use domain::country::Country;
use domain::document::Document;
use domain::email::{EmailAddress, EmailProblem};
use domain::id::{AcceptanceId, AccountId, MailId, RecipientId, UserId};
use domain::password::{NewPassword, PasswordProblem};
use domain::role::Role;
use domain::sign_up::{SignUpProblem, SignUpRefusal};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::accounts::{self, Acceptance};
use crate::alerts::recipients;
use crate::authority::change::{Line, OpenChange};
use crate::failure::{Broken, Failure};
use crate::identity::mails::AlreadyRegistered;
use crate::identity::users::{self, NewUser};
use crate::identity::verification::open_verification;
use crate::mail::letter::Letter as _;
use crate::mail::{self, MailRow, To};
use crate::{Backend, random};

/// What is typed and ticked at sign-up.
pub struct SignUp {
    /// As typed; read by `domain::email`.
    pub email: String,
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
}

/// A sign-up that passed every rule.
struct Checked {
    email: EmailAddress,
    password: NewPassword,
    country: Country,
}

/// Opens a user and an account and mails a confirmation; an address that is known gets another mail and the same answer.
///
/// # Errors
/// [`SignUpRefusal`] with every problem at once, or broken.
#[tracing::instrument(skip_all, name = "sign_up.sign_up")]
pub async fn sign_up(backend: &Backend, typed: SignUp) -> Result<(), Failure<SignUpRefusal>> {
    let checked = check(backend, &typed).map_err(Failure::Refused)?;
    // Hashed before anything is looked up, so that both answers take the same time.
    let password_hash = backend.passwords().hash(checked.password).await?;
    let now = backend.clock().now();
    let canonical = checked.email.canonical();
    let user_id = UserId(random::id(now));
    let user = NewUser {
        user_id,
        email: checked.email.as_str(),
        canonical: &canonical,
        password_hash: &password_hash,
        country: checked.country.code(),
    };
    let mut change = OpenChange::begin(backend, Act::SignUp).await?;
    if !users::insert(&mut change, &user, now).await? {
        drop(change);
        return Ok(tell_owner(backend, &canonical, now).await?);
    }
    let account_id = open_account(backend, &mut change, user_id, &checked.email, now).await?;
    let line = Line {
        account_id,
        user_id: Some(user_id),
        subject: account_id.to_string(),
    };
    Ok(change.commit(line, &[]).await?)
}

fn check(backend: &Backend, typed: &SignUp) -> Result<Checked, SignUpRefusal> {
    let mut problems = Vec::new();
    let email = EmailAddress::parse(&typed.email).map_err(|problem| {
        problems.push(match problem {
            EmailProblem::Empty => SignUpProblem::EmailEmpty,
            EmailProblem::TooLong => SignUpProblem::EmailTooLong,
            EmailProblem::Malformed => SignUpProblem::EmailMalformed,
        });
    });
    let password = NewPassword::parse(&typed.password, email.as_ref().ok()).map_err(|problem| {
        problems.push(match problem {
            PasswordProblem::TooShort => SignUpProblem::PasswordTooShort,
            PasswordProblem::TooLong => SignUpProblem::PasswordTooLong,
            PasswordProblem::Guessable => SignUpProblem::PasswordGuessable,
        });
    });
    let country = Country::parse(&typed.country);
    match country {
        None => problems.push(SignUpProblem::CountryUnknown),
        Some(country) if backend.settings().refused_countries.contains(&country) => {
            problems.push(SignUpProblem::CountryRefused);
        }
        Some(_) => {}
    }
    let consents = [
        (typed.terms, SignUpProblem::TermsMissing),
        (typed.aup, SignUpProblem::AupMissing),
        (typed.dpa, SignUpProblem::DpaMissing),
        (
            typed.export_statement,
            SignUpProblem::ExportStatementMissing,
        ),
    ];
    problems.extend(
        consents
            .iter()
            .filter(|(given, _)| !given)
            .map(|(_, problem)| *problem),
    );
    match (email, password, country) {
        (Ok(email), Ok(password), Some(country)) if problems.is_empty() => Ok(Checked {
            email,
            password,
            country,
        }),
        _ => Err(SignUpRefusal(problems)),
    }
}

async fn open_account(
    backend: &Backend,
    db: &mut PgConnection,
    user_id: UserId,
    email: &EmailAddress,
    now: OffsetDateTime,
) -> Result<AccountId, Broken> {
    let account_id = AccountId(random::id(now));
    let region = backend.settings().region.to_string();
    // An account needs a word to be called by; its owner can change it. The domain names a team better than a person.
    let name = email
        .as_str()
        .rsplit_once('@')
        .map_or("account", |(_, domain)| domain);
    accounts::insert(db, account_id, name, &region, now).await?;
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
    open_verification(backend, db, Some(account_id), user_id, now).await?;
    Ok(account_id)
}

/// Tells the owner of a known address that somebody signed up with it, at most three times an hour.
async fn tell_owner(backend: &Backend, canonical: &str, now: OffsetDateTime) -> Result<(), Broken> {
    let mut tx = backend.pool().begin().await?;
    // Deleted between the two statements: then nobody is there to be told.
    let Some(user) = users::by_email(&mut tx, canonical).await? else {
        return Ok(());
    };
    let since = now - Duration::HOUR;
    let sent = mail::count_since(&mut tx, user.user_id, AlreadyRegistered::NAME, since).await?;
    if sent < VERIFICATION_MAILS_PER_HOUR {
        let mail = MailRow {
            mail_id: MailId(random::id(now)),
            to: To::User(user.user_id),
            template: AlreadyRegistered::NAME.to_owned(),
            about: None,
        };
        mail::send::enqueue(&mut tx, None, &mail, now).await?;
    }
    Ok(tx.commit().await?)
}
