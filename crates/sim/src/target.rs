//! A customer's URL taken apart: what is signed, where to connect, what to ask for, and how patiently. It
//! must not know what is sent. Called when an order is checked, when a request is signed, and when it is
//! sent.

use std::time::Duration;

/// Longest URL the vendor takes.
pub const LONGEST_URL: usize = 4_000;

/// An absolute http or https URL, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The scheme as it was written.
    scheme: &'a str,
    /// `user:password`, if there is one.
    pub userinfo: Option<&'a str>,
    /// Host without port; brackets kept round an IPv6 address.
    pub host: &'a str,
    /// The port as it was written.
    pub port: Option<u16>,
    /// Path and query as they were written; may be empty.
    pub path_and_query: &'a str,
    /// What follows the `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes `url` apart; `None` for what the vendor would refuse: another scheme, no host, an underscore in
    /// the host, blanks, or too long.
    pub fn parse(url: &'a str) -> Option<Self> {
        if url.len() > LONGEST_URL || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (scheme, rest) = url.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (userinfo, authority) = match authority.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo), authority),
            None => (None, authority),
        };
        let port_at = authority
            .rfind(':')
            .filter(|at| authority.rfind(']').is_none_or(|end| end < *at));
        let (host, port) = match port_at {
            Some(at) => (&authority[..at], Some(authority[at + 1..].parse().ok()?)),
            None => (authority, None),
        };
        if host.is_empty() || host.contains('_') {
            return None;
        }
        Some(Self {
            scheme,
            userinfo,
            host,
            port,
            path_and_query,
            fragment,
        })
    }

    /// Whether the connection would have to be encrypted.
    pub fn is_https(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("https")
    }

    /// Scheme, host and the port where it counts, which for a signature is only without encryption.
    pub fn signed_origin(&self) -> String {
        match self.port {
            Some(port) if !self.is_https() => format!("{}://{}:{port}", self.scheme, self.host),
            _ => format!("{}://{}", self.scheme, self.host),
        }
    }

    /// What is asked for on the connection; never empty.
    pub fn request_target(&self) -> String {
        let slash = if self.path_and_query.starts_with('/') {
            ""
        } else {
            "/"
        };
        format!("{slash}{}", self.path_and_query)
    }

    /// The URL that `reference`, found in a document at this one, means: absolute, from the root, or beside
    /// it; empty is the document itself.
    pub fn join(&self, reference: &str) -> String {
        if Target::parse(reference).is_some() {
            return reference.to_owned();
        }
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{}://{}{port}", self.scheme, self.host);
        if reference.is_empty() {
            return format!("{origin}{}", self.request_target());
        }
        if reference.starts_with('/') {
            return format!("{origin}{reference}");
        }
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
        format!("{origin}{folder}{reference}")
    }
}

/// How patiently a URL is requested: the customer's wishes from the fragment, else the vendor's defaults.
/// These bound real connections and are never divided by the simulation's speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for an answer's first byte, and between two reads of it.
    pub read: Duration,
    /// Longest wait for everything, repeats included.
    pub total: Duration,
    /// How often a failed request is repeated.
    pub repeats: u32,
    /// Repeat what was answered 4xx.
    pub on_4xx: bool,
    /// Repeat what was answered 5xx.
    pub on_5xx: bool,
    /// Repeat what could not be connected.
    pub on_connect: bool,
    /// Repeat what was not answered.
    pub on_read: bool,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            repeats: 1,
            on_4xx: false,
            on_5xx: false,
            on_connect: true,
            on_read: false,
        }
    }
}

impl Patience {
    /// Reads a fragment such as `rc=3&rp=5xx,ct,rt&ct=2000`. What is unknown or out of its range changes
    /// nothing.
    pub fn of(fragment: Option<&str>) -> Self {
        let mut patience = Self::default();
        for (key, value) in fragment
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
        {
            let within = |low: u64, high: u64| {
                value
                    .parse()
                    .ok()
                    .filter(|ms| (low..=high).contains(ms))
                    .map(Duration::from_millis)
            };
            match key {
                "ct" => patience.connect = within(100, 10_000).unwrap_or(patience.connect),
                "rt" => patience.read = within(100, 15_000).unwrap_or(patience.read),
                "tt" => patience.total = within(100, 15_000).unwrap_or(patience.total),
                "rc" => {
                    let count = value.parse().ok().filter(|count| *count <= 5);
                    patience.repeats = count.unwrap_or(patience.repeats);
                }
                "rp" => patience.repeat_on(value),
                _ => {}
            }
        }
        patience
    }

    fn repeat_on(&mut self, list: &str) {
        let words: Vec<&str> = list.split(',').collect();
        if words
            .iter()
            .any(|word| !matches!(*word, "4xx" | "5xx" | "ct" | "rt" | "all"))
        {
            tracing::warn!(
                code = 11_243,
                "the retry policy in a callback URL is not valid; the default stands"
            );
            return;
        }
        let has = |word: &str| words.contains(&word) || words.contains(&"all");
        (self.on_4xx, self.on_5xx) = (has("4xx"), has("5xx"));
        (self.on_connect, self.on_read) = (has("ct"), has("rt"));
    }
}

#[cfg(test)]
mod tests;
