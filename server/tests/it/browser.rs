//! A browser without JavaScript: a cookie jar with a browser's rules, forms, redirects, and the headers that tell
//! where a request comes from. `submit` fills only forms and fields that the page really has.

use std::net::SocketAddr;

use app::action::form_token::FIELD;
use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use server::http::client_address::PeerAddress;
use tower::ServiceExt as _;

#[derive(Clone)]
pub struct Browser {
    router: Router,
    origin: String,
    pub peer: SocketAddr,
    pub cookies: Vec<Cookie>,
}

#[derive(Clone, Debug)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub path: String,
}

#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    pub path: String,
}

impl Browser {
    pub fn new(router: Router, origin: String) -> Self {
        Self {
            router,
            origin,
            peer: SocketAddr::from(([198, 51, 100, 1], 50_000)),
            cookies: Vec::new(),
        }
    }

    /// One request as it is, cookies kept, redirects not followed.
    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        let path = request.uri().path().to_owned();
        if let Some(cookies) = self.cookie_header(&path) {
            request
                .headers_mut()
                .insert(COOKIE, cookies.parse().unwrap());
        }
        request
            .headers_mut()
            .entry(HOST)
            .or_insert(HeaderValue::from_static("127.0.0.1:3000"));
        request.extensions_mut().insert(PeerAddress(self.peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let body = body.collect().await.unwrap().to_bytes();
        Page {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            path,
        }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path)
            .header(ACCEPT, "text/html")
            .header("sec-fetch-site", "none");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Posts a form as one of our pages would.
    pub async fn post(&mut self, action: &str, fields: &[(&str, &str)]) -> Page {
        let request = Request::builder()
            .method(Method::POST)
            .uri(action)
            .header(ACCEPT, "text/html")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(encoded(fields))).unwrap())
            .await
    }

    /// Opens a page, fills its form, sends it and goes where the answer leads.
    pub async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let form = self.get(page).await.at(page);
        assert!(
            form.body.contains(&format!("action=\"{action}\"")),
            "{page} has no form for {action}: {}",
            form.body
        );
        for (name, _) in fields {
            assert!(
                form.body.contains(&format!("name=\"{name}\"")),
                "the form on {page} has no field {name}"
            );
        }
        let token = form.token(action);
        let sent: Vec<_> = fields.iter().copied().chain([(FIELD, &*token)]).collect();
        let answer = self.post(action, &sent).await;
        self.follow(answer).await
    }

    /// Goes where redirects lead.
    pub async fn follow(&mut self, mut answer: Page) -> Page {
        for _ in 0..5 {
            let Some(to) = answer.location() else {
                return answer;
            };
            assert!(
                to.starts_with('/') && !to.starts_with("//"),
                "leads away: {to}"
            );
            answer = self.get(&to).await;
        }
        panic!("redirects without end")
    }

    pub fn cookie(&self, name: &str) -> Option<&Cookie> {
        self.cookies.iter().find(|cookie| cookie.name == name)
    }

    fn cookie_header(&self, path: &str) -> Option<String> {
        let fits = |cookie: &&Cookie| {
            path == cookie.path
                || path.starts_with(&format!("{}/", cookie.path.trim_end_matches('/')))
        };
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .filter(fits)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps a cookie under a browser's rules.
    fn keep(&mut self, text: &str) {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        let of = |wanted: &str| {
            attributes
                .iter()
                .find_map(|attribute| attribute.strip_prefix(wanted).map(str::to_owned))
        };
        let path = of("path=").unwrap_or_else(|| "/".to_owned());
        if name.starts_with("__Host-") && !(has("secure") && path == "/" && of("domain=").is_none())
        {
            return;
        }
        self.cookies
            .retain(|cookie| !(cookie.name == name && cookie.path == path));
        if of("max-age=").as_deref() != Some("0") {
            self.cookies.push(Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                path,
            });
        }
    }
}

impl Page {
    /// The token in the first form of this page that is sent to an address.
    #[track_caller]
    pub fn token(&self, action: &str) -> String {
        let form = self.body.split(&format!("action=\"{action}\"")).nth(1);
        let form = form.unwrap().split("</form>").next().unwrap();
        let field = format!("name=\"{FIELD}\" value=\"");
        let value = form.split(&field).nth(1);
        let value = value.unwrap_or_else(|| panic!("the form for {action} has no token"));
        value.split('"').next().unwrap().to_owned()
    }

    pub fn location(&self) -> Option<String> {
        self.headers
            .get(LOCATION)
            .map(|to| to.to_str().unwrap().to_owned())
    }

    /// Asserts that this is the page at `path`, and whole.
    #[track_caller]
    pub fn at(self, path: &str) -> Self {
        assert_eq!(
            (self.status, self.path.as_str()),
            (StatusCode::OK, path),
            "{:?} {}",
            self.location(),
            self.body
        );
        self
    }

    /// Asserts a redirect.
    #[track_caller]
    pub fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status, self.location().as_deref()),
            (StatusCode::SEE_OTHER, Some(path)),
            "{}",
            self.body
        );
    }

    /// Asserts that a sentence is on the page.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.words().contains(text),
            "`{text}` is not in: {}",
            self.words()
        );
        self
    }

    /// The text without markup.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for piece in self.body.split('<') {
            let text = piece.split_once('>').map_or(piece, |(_, text)| text);
            words.push_str(text);
        }
        let words = words
            .replace("&#x27;", "'")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&amp;", "&");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}
