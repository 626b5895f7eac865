//! Opening an account, signing in, confirming an address. Whether an address is known never shows: same words, same
//! work, and what differs arrives by mail.

use domain::country::Country;
use domain::document::Document;
use domain::email::{EmailAddress, EmailProblem};
use domain::id::{AcceptanceId, AccountId, GrantId, MailId, RecipientId, UserId, VerificationId};
use domain::limits::{
    PASSWORD_CHARS_MAX, SIGN_UP_CREDIT_CENTS, VERIFICATION_HOURS, VERIFICATION_MAILS_PER_HOUR,
};
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use domain::password::{NewPassword, PasswordProblem};
use domain::refusal::{SignInRefusal, SignUpProblem, SignUpRefusal, VerificationRefusal};
use domain::role::Role;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::Backend;
use crate::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::jobs::{push_tenant, send_mail};
use crate::random;
use crate::secret::{sha256, verification_token};
use crate::store::accounts;
use crate::store::accounts::Acceptance;
use crate::store::audit::{self, Action};
use crate::store::ledger::{self, GrantReason, NewGrant, NewTransfer, System, TransferKind};
use crate::store::mails::{self, MailRow, Template, To};
use crate::store::outlooks;
use crate::store::recipients;
use crate::store::users::{self, NewUser};
use crate::store::verifications::{self, VerificationRow};

/// What is typed and ticked at sign-up.
pub struct SignUp {
    /// The address.
    pub email: String,
    /// The password.
    pub password: String,
    /// Two letters.
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
#[tracing::instrument(skip_all, name = "accounts.sign_up")]
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
    let mut tx = backend.pool().begin().await?;
    if !users::insert(&mut tx, &user, now).await? {
        tx.rollback().await?;
        return Ok(tell_owner(backend, &canonical, now).await?);
    }
    open_account(backend, &mut tx, user_id, &checked.email, now).await?;
    tx.commit().await?;
    Ok(())
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
) -> Result<(), Broken> {
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
    audit::append(
        db,
        account_id,
        user_id,
        Action::SignUp,
        &account_id.to_string(),
        now,
    )
    .await?;
    open_verification(backend, db, Some(account_id), user_id, now).await
}

async fn open_verification(
    backend: &Backend,
    db: &mut PgConnection,
    account_id: Option<AccountId>,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let verification_id = VerificationId(random::id(now));
    let token = verification_token(&backend.settings().secret_key, verification_id.0);
    let expires_at = now + Duration::hours(VERIFICATION_HOURS);
    let row = VerificationRow {
        verification_id,
        user_id,
        expires_at,
        used_at: None,
        is_verified: false,
    };
    verifications::insert(db, &row, &sha256(token.as_bytes()), now).await?;
    let mail_id = MailId(random::id(now));
    let mail = MailRow {
        mail_id,
        to: To::User(user_id),
        template: Template::VerifyEmail,
        verification_id: Some(verification_id),
        delivery_id: None,
    };
    send_mail::enqueue(db, account_id, &mail, now).await
}

/// Tells the owner of a known address that somebody signed up with it, at most three times an hour.
async fn tell_owner(backend: &Backend, canonical: &str, now: OffsetDateTime) -> Result<(), Broken> {
    let mut tx = backend.pool().begin().await?;
    // Deleted between the two statements: then nobody is there to be told.
    let Some(user) = users::by_email(&mut tx, canonical).await? else {
        return Ok(());
    };
    let since = now - Duration::HOUR;
    let sent =
        mails::count_since(&mut tx, user.user_id, Template::AlreadyRegistered, since).await?;
    if sent < VERIFICATION_MAILS_PER_HOUR {
        let mail = MailRow {
            mail_id: MailId(random::id(now)),
            to: To::User(user.user_id),
            template: Template::AlreadyRegistered,
            verification_id: None,
            delivery_id: None,
        };
        send_mail::enqueue(&mut tx, None, &mail, now).await?;
    }
    Ok(tx.commit().await?)
}

/// Checks a pair of address and password. An unknown address takes the same work as a wrong password.
///
/// # Errors
/// [`SignInRefusal::WrongPair`], or broken.
#[tracing::instrument(skip_all, name = "accounts.sign_in")]
pub async fn sign_in(
    backend: &Backend,
    email: &str,
    password: &str,
) -> Result<UserId, Failure<SignInRefusal>> {
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(Failure::Refused(SignInRefusal::WrongPair));
    }
    let canonical = EmailAddress::parse(email)
        .map(|address| address.canonical())
        .unwrap_or_default();
    let mut db = backend.pool().acquire().await?;
    let user = users::by_email(&mut db, &canonical).await?;
    drop(db);
    let (user_id, stored) = user.map(|user| (user.user_id, user.password_hash)).unzip();
    let matches = backend
        .passwords()
        .verify(password.to_owned(), stored)
        .await?;
    user_id
        .filter(|_| matches)
        .ok_or(Failure::Refused(SignInRefusal::WrongPair))
}

/// Confirms an address by the token of its mail, activates the accounts that its person owns, gives each its credit and
/// tells the orchestrator.
///
/// # Errors
/// [`VerificationRefusal`], or broken.
#[tracing::instrument(skip_all, name = "accounts.confirm_email")]
pub async fn confirm_email(
    backend: &Backend,
    token: &str,
) -> Result<UserId, Failure<VerificationRefusal>> {
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let found = verifications::by_token(&mut tx, &sha256(token.as_bytes())).await?;
    let row = found.ok_or(Failure::Refused(VerificationRefusal::Unknown))?;
    if row.used_at.is_some() || row.is_verified {
        return Err(Failure::Refused(VerificationRefusal::AlreadyVerified));
    }
    if row.expires_at <= now {
        return Err(Failure::Refused(VerificationRefusal::Expired));
    }
    verifications::spend(&mut tx, row.verification_id, now).await?;
    users::verify(&mut tx, row.user_id, now).await?;
    for account_id in accounts::owned_by(&mut tx, row.user_id).await? {
        audit::append(
            &mut tx,
            account_id,
            row.user_id,
            Action::EmailVerified,
            &row.user_id.to_string(),
            now,
        )
        .await?;
        if let Some(generation) = accounts::activate(&mut tx, account_id, now).await? {
            give_sign_up_credit(&mut tx, account_id, row.user_id, now).await?;
            push_tenant::enqueue(&mut tx, account_id, generation, now).await?;
        }
    }
    tx.commit().await?;
    Ok(row.user_id)
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
    outlooks::touch(db, &[account_id]).await?;
    audit::append(
        db,
        account_id,
        user_id,
        Action::CreditGranted,
        &grant_id.to_string(),
        now,
    )
    .await
}

/// Mails a new confirmation link, at most three an hour.
///
/// # Errors
/// [`VerificationRefusal::AlreadyVerified`] or [`VerificationRefusal::TooMany`], or broken.
#[tracing::instrument(skip_all, name = "accounts.resend_verification")]
pub async fn resend_verification(
    backend: &Backend,
    actor: &Actor,
) -> Result<(), Failure<VerificationRefusal>> {
    if actor.is_verified() {
        return Err(Failure::Refused(VerificationRefusal::AlreadyVerified));
    }
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let sent = verifications::count_since(&mut tx, actor.user_id(), now - Duration::HOUR).await?;
    if sent >= VERIFICATION_MAILS_PER_HOUR {
        return Err(Failure::Refused(VerificationRefusal::TooMany));
    }
    open_verification(
        backend,
        &mut tx,
        Some(actor.account_id()),
        actor.user_id(),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}

/// What was accepted for the account: document, version and time, newest first.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "accounts.acceptances")]
pub async fn acceptances(
    backend: &Backend,
    actor: &Actor,
) -> Result<Vec<(String, String, OffsetDateTime)>, Broken> {
    let mut db = backend.pool().acquire().await?;
    accounts::acceptances(&mut db, actor.account_id()).await
}
