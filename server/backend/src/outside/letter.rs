//! A mail as text and HTML saying the same. The words come from the subject that sends it.

use url::Url;

/// A mail ready to send, text and HTML saying the same.
#[derive(Clone, Debug)]
pub struct Words {
    /// The subject line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

pub(crate) fn base(origin: &Url) -> String {
    let text = origin.as_str();
    if text.ends_with('/') {
        text.to_owned()
    } else {
        format!("{text}/")
    }
}

/// Puts a mail together. What is said are constants of each subject's `mails.rs`, and links are built from the configured
/// origin and our own base64url tokens, so there is nothing to escape but the quotes of the attribute.
pub(crate) fn compose(
    subject: &str,
    said: &[String],
    action: (&str, &str),
    otherwise: &str,
) -> Words {
    compose_for_stranger(subject, said, action, otherwise, None)
}

/// The same with a second link below the rest: how to get no such mail any more.
pub(crate) fn compose_for_stranger(
    subject: &str,
    said: &[String],
    (action, link): (&str, &str),
    otherwise: &str,
    way_out: Option<(&str, &str)>,
) -> Words {
    let closing = "Questions: support@isorun.ai. Isorun BV, Netherlands.";
    let (mut text_out, mut html_out) = (String::new(), String::new());
    if let Some((action, link)) = way_out {
        text_out = format!("{action}:\n{link}\n\n");
        html_out = format!("<p><a href=\"{link}\">{action}</a></p>");
    }
    let text = format!(
        "{}\n\n{action}:\n{link}\n\n{otherwise}\n\n{text_out}{closing}\n",
        said.join("\n\n")
    );
    let said: String = said.iter().map(|line| format!("<p>{line}</p>")).collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{subject}</title></head><body>{said}\
         <p><a href=\"{link}\">{action}</a></p><p>{otherwise}</p>{html_out}<p>{closing}</p></body></html>"
    );
    Words {
        subject: subject.to_owned(),
        text,
        html,
    }
}
