//! Requests to Twilio's API over a transport. Knows paths, headers and signing in; what answers mean is judged
//! elsewhere. Every request goes out once, on a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use carrier::{AskError, Gate, Reply};
use domain::{Phone, Sid};
use form_urlencoded::Serializer;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use crate::settings::Checked;
use crate::transport::{Connection, Transport, in_words};
use crate::verdict;

/// Time for name, TCP and TLS of a question: the same as for a dial.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Time for an answer. Twilio answers in well under a second; a gateway in front of it gives up after thirty,
/// and an answer later than that would find nobody waiting for it.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Calls per list page: about 350 kB, well inside what is read of an answer (Twilio allows 1000).
const PAGE_SIZE: &str = "200";

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("redial/", env!("CARGO_PKG_VERSION"));

/// The version of Twilio's API, which is part of every path.
const API_VERSION: &str = "2010-04-01";

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The gate of a question: asking may be repeated, so nothing keeps it back.
struct AlwaysOpen;

impl Gate for AlwaysOpen {
    fn is_open(&self) -> bool {
        true
    }
}

/// Makes and sends requests for one account.
pub(crate) struct Rest {
    transport: Arc<dyn Transport>,
    host: HeaderValue,
    /// `https://api.twilio.com`: the only place that list pages may lie in.
    origin: String,
    /// `/2010-04-01/Accounts/AC...`
    account: String,
    /// `/2010-04-01/Accounts/AC.../Calls`
    calls: String,
    authorization: HeaderValue,
}

impl Rest {
    pub(crate) fn new(checked: &Checked, transport: Arc<dyn Transport>) -> Self {
        let settings = &checked.settings;
        let authority = checked.api.authority().map_or("", |authority| authority.as_str());
        // Credentials in an address are for signing in, not for naming a host.
        let host = authority.rsplit('@').next().unwrap_or_default();
        let scheme = checked.api.scheme_str().unwrap_or_default();
        let path = checked.api.path().trim_end_matches('/');
        let (user, secret) = match &settings.api_key {
            Some(key) => (&key.sid, &key.secret),
            None => (&settings.account_sid, &settings.auth_tokens[0]),
        };
        let basic = STANDARD.encode(format!("{user}:{}", secret.expose_secret()));
        let mut authorization =
            HeaderValue::try_from(format!("Basic {basic}")).expect("base64 is visible ASCII");
        authorization.set_sensitive(true);
        let account = format!("{path}/{API_VERSION}/Accounts/{}", settings.account_sid);
        Self {
            transport,
            host: HeaderValue::try_from(host).expect("an address that was parsed has a visible host"),
            origin: format!("{scheme}://{host}"),
            calls: format!("{account}/Calls"),
            account,
            authorization,
        }
    }

    /// A connection that has carried nothing yet.
    pub(crate) async fn connect(&self, within: Duration) -> Result<Box<dyn Connection>, String> {
        self.transport
            .connect(within)
            .await
            .map_err(|error| in_words(&error))
    }

    /// The request that makes a call.
    pub(crate) fn create(&self, form: String) -> Request<Bytes> {
        self.request(Method::POST, &format!("{}.json", self.calls), Some(form))
    }

    /// Asks for one call.
    pub(crate) async fn fetch(&self, sid: &Sid) -> Reply<Result<Response<Bytes>, AskError>> {
        self.ask(self.request(Method::GET, &self.leg(sid), None)).await
    }

    /// Asks for one call to be brought to `status`.
    pub(crate) async fn end(&self, sid: &Sid, status: &str) -> Reply<Result<Response<Bytes>, AskError>> {
        let form = Serializer::new(String::new())
            .append_pair("Status", status)
            .finish();
        self.ask(self.request(Method::POST, &self.leg(sid), Some(form)))
            .await
    }

    /// Asks for a page of a list, at a path that [`Rest::first_page`] or [`Rest::next_page`] gave.
    pub(crate) async fn page(&self, path: &str) -> Reply<Result<Response<Bytes>, AskError>> {
        self.ask(self.request(Method::GET, path, None)).await
    }

    /// Asks for the account itself, or with a `kind` for the first page of what it has of that kind.
    pub(crate) async fn account(&self, kind: Option<&str>) -> Reply<Result<Response<Bytes>, AskError>> {
        let path = match kind {
            None => format!("{}.json", self.account),
            Some(kind) => format!("{}/{kind}.json?PageSize={PAGE_SIZE}", self.account),
        };
        self.ask(self.request(Method::GET, &path, None)).await
    }

    /// Where the list of all calls between two numbers begins. Never filtered by start: a call that waits in
    /// Twilio's queue has none, and would be missed.
    pub(crate) fn first_page(&self, from: &Phone, to: &Phone) -> String {
        let query = Serializer::new(String::new())
            .append_pair("To", to.reveal())
            .append_pair("From", from.reveal())
            .append_pair("PageSize", PAGE_SIZE)
            .finish();
        format!("{}.json?{query}", self.calls)
    }

    /// Where the list of all calls of the account begins, the newest first. Never filtered by start, as above.
    pub(crate) fn first_page_of_all(&self) -> String {
        format!("{}.json?PageSize={PAGE_SIZE}", self.calls)
    }

    /// The list that costs the carrier least.
    pub(crate) fn shortest_page(&self) -> String {
        format!("{}.json?PageSize=1", self.calls)
    }

    /// The path of the next page, if it lies where the first one did: a list that leads elsewhere would carry
    /// our credentials there.
    pub(crate) fn next_page(&self, uri: &str) -> Option<String> {
        let path = uri.strip_prefix(&self.origin).unwrap_or(uri);
        let rest = path.strip_prefix(&self.calls)?;
        let is_ours = rest.strip_prefix(".json").unwrap_or(rest).starts_with('?');
        (is_ours && path.parse::<PathAndQuery>().is_ok()).then(|| path.to_owned())
    }

    fn leg(&self, sid: &Sid) -> String {
        format!(
            "{}/{}.json",
            self.calls,
            utf8_percent_encode(sid.as_str(), NON_ALPHANUMERIC)
        )
    }

    async fn ask(&self, request: Request<Bytes>) -> Reply<Result<Response<Bytes>, AskError>> {
        let connection = match self.connect(CONNECT_WITHIN).await {
            Ok(connection) => connection,
            Err(problem) => return Reply::undated(Err(AskError::Unanswered(problem))),
        };
        match connection.send(request, &AlwaysOpen, ANSWER_WITHIN).await {
            Ok(answer) => Reply {
                date: verdict::date(answer.headers()),
                outcome: Ok(answer),
            },
            Err(error) => Reply::undated(Err(AskError::Unanswered(in_words(&error)))),
        }
    }

    fn request(&self, method: Method, path: &str, form: Option<String>) -> Request<Bytes> {
        let has_form = form.is_some();
        let mut request = Request::new(form.map_or_else(Bytes::new, Bytes::from));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("every path is made of checked parts");
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if has_form {
            headers.insert(header::CONTENT_TYPE, FORM);
        }
        request
    }
}
