//! The mail catcher with the mailer that the dashboard uses (lettre), over real SMTP.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot set itself up has failed"
)]

use std::{net::SocketAddr, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::MultiPart,
    transport::smtp::{Error, response::Response},
};
use peers::mail::{MailCatcher, MailFault, Options};

const SOON: Duration = Duration::from_secs(5);

async fn catcher() -> MailCatcher {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    MailCatcher::start(Options {
        smtp: any,
        http: any,
    })
    .await
    .expect("a mail catcher")
}

async fn send(
    catcher: &MailCatcher,
    to: &str,
    subject: &str,
    text: &str,
) -> Result<Response, Error> {
    let message = Message::builder()
        .from("Isorun <no-reply@isorun.ai>".parse().expect("a sender"))
        .to(to.parse().expect("a recipient"))
        .subject(subject)
        .multipart(MultiPart::alternative_plain_html(
            text.to_owned(),
            "<p>As HTML</p>".to_owned(),
        ))
        .expect("a message");
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(catcher.smtp_port())
        .timeout(Some(Duration::from_secs(1)))
        .build();
    mailer.send(message).await
}

fn http() -> reqwest::Client {
    // Somebody else in this process may have been first; one provider is as good as the other.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
}

#[tokio::test]
async fn a_mail_arrives_whole_and_is_shown_escaped() {
    let catcher = catcher().await;
    let text = "Grüße,\n.a line with a dot\nconfirm: http://127.0.0.1:3000/verify?a=1&b=2 <script>alert(1)</script>\n";
    let (sent, mail) = tokio::join!(
        send(&catcher, "ada@example.com", "Bestätigen <b>", text),
        catcher.wait_for("Ada@example.com", SOON)
    );
    sent.unwrap();
    let mail = mail.unwrap();
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@isorun.ai", &["ada@example.com".to_owned()][..])
    );
    assert_eq!(mail.subject, "Bestätigen <b>");
    assert_eq!(mail.text.replace("\r\n", "\n"), text);
    assert_eq!(mail.html.as_deref().map(str::trim), Some("<p>As HTML</p>"));

    let (http, url) = (http(), catcher.http_url());
    let get = |path: String| http.get(format!("{url}{path}")).send();
    let list = get("/".to_owned()).await.unwrap().text().await.unwrap();
    assert!(
        list.contains(&format!(
            "<a href=\"/mails/{}\">Bestätigen &lt;b&gt;</a>",
            mail.id
        )),
        "{list}"
    );
    let shown = get(format!("/mails/{}", mail.id))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        shown.contains("<a href=\"http://127.0.0.1:3000/verify?a=1&amp;b=2\""),
        "{shown}"
    );
    assert!(!shown.contains("<script"), "{shown}");
    assert_eq!(get("/mails/99".to_owned()).await.unwrap().status(), 404);

    let count = |to: &'static str| {
        let request = get(format!("/api/mails?to={to}"));
        async move {
            let answer: serde_json::Value = request.await.unwrap().json().await.unwrap();
            answer["mails"].as_array().unwrap().len()
        }
    };
    assert_eq!(
        (
            count("ada@example.com").await,
            count("bob@example.com").await
        ),
        (1, 0)
    );
    assert!(
        catcher
            .wait_for("bob@example.com", Duration::from_millis(50))
            .await
            .is_err()
    );
    assert!(
        catcher
            .wait_for_after("ada@example.com", mail.id, Duration::from_millis(50))
            .await
            .is_err()
    );
    let cleared = http
        .delete(format!("{url}/api/mails"))
        .send()
        .await
        .unwrap();
    assert_eq!((cleared.status().as_u16(), catcher.mails().len()), (204, 0));
    catcher.stop().await;
}

#[tokio::test]
async fn faults_refuse_hang_and_lose_the_answer() {
    let catcher = catcher().await;
    let try_send = || send(&catcher, "ada@example.com", "Hello", "Hello");
    catcher.fault(MailFault::Refuse451, 1);
    assert!(try_send().await.unwrap_err().is_transient());
    catcher.fault(MailFault::Refuse550, 1);
    assert!(try_send().await.unwrap_err().is_permanent());
    catcher.fault(MailFault::Hang, 1);
    // lettre's own timeout does not cover the wait for an answer.
    assert!(
        tokio::time::timeout(Duration::from_millis(300), try_send())
            .await
            .is_err()
    );
    assert_eq!(catcher.mails().len(), 0);
    let answer = http()
        .post(format!("{}/api/faults", catcher.http_url()))
        .body(r#"{"fault":"drop_after_data","times":2}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    assert!(try_send().await.is_err());
    assert_eq!(
        catcher.mails().len(),
        1,
        "kept, though its sender does not know"
    );
    catcher.clear_faults();
    try_send().await.unwrap();
    assert_eq!(catcher.mails().len(), 2);
}
