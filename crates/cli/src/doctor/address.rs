//! The address that the carrier calls back: whether it makes sense, and whether this server answers there.

use std::net::SocketAddr;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{StatusCode, header};

use super::Finding;

/// Time for one question to an address: as long as the carrier waits for a callback's answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// What answers at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// A server of ours.
    Ours,
    /// Something that sends its callers elsewhere.
    Elsewhere(String),
    /// Something else, with this status.
    Foreign(u16),
    /// Nothing, for this reason.
    Nothing(String),
}

/// What asks: every answer is an answer, whatever its status; nothing is followed, no proxy is taken from the
/// environment, and each question has a connection of its own.
pub fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(ANSWER_WITHIN))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .user_agent(concat!("redial/", env!("CARGO_PKG_VERSION")));
    config.build().into()
}

/// Asks an address whether a server of ours is there, without following it elsewhere.
pub fn reach(base_url: &str) -> Reached {
    let mut answer = match agent().get(format!("{base_url}/healthz")).call() {
        Ok(answer) => answer,
        Err(error) => return Reached::Nothing(error.to_string()),
    };
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
        return Reached::Elsewhere(to.to_owned());
    }
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    if status == StatusCode::OK && text == "{\"status\":\"ok\"}" {
        Reached::Ours
    } else {
        Reached::Foreign(status.as_u16())
    }
}

/// Where a server on this machine answers: what it listens on, or this machine where that is every address.
pub fn local(listen: SocketAddr) -> String {
    let mut listen = listen;
    if listen.ip().is_unspecified() {
        let here = match listen {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        listen.set_ip(here);
    }
    format!("http://{listen}")
}

/// What the server on this machine says.
pub fn judge_server(local: &str, reached: &Reached) -> Finding {
    match reached {
        Reached::Ours => Finding::ok("server", format!("answers at {local}")),
        Reached::Nothing(_) => Finding::warning(
            "server",
            format!("none answers at {local}"),
            "Start `redial serve`, then run `redial doctor` again: what needs a server was not looked at.",
        ),
        Reached::Foreign(_) | Reached::Elsewhere(_) => Finding::problem(
            "server",
            format!("another program answers at {local}"),
            "Stop that program, or set REDIAL_LISTEN to an address and port of its own.",
        ),
    }
}

/// Whether `BASE_URL` makes sense by itself. `calls_back`: whether the carrier could reach it at all.
pub fn judge_form(base_url: &str, calls_back: bool) -> Finding {
    let host = base_url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if !calls_back {
        return Finding::warning(
            "address",
            format!(
                "{base_url} is this machine alone: what is said goes along with each dial, and live calls are asked \
                 about instead of reported"
            ),
            "That is enough for the first calls. For callbacks, which are faster, set BASE_URL=https://... to where \
             the carrier reaches this server.",
        );
    }
    if host.contains('_') {
        return Finding::problem(
            "address",
            format!("{base_url} has a host with an underscore, which the carrier refuses (21609)"),
            "Give the host a name of letters, digits and hyphens.",
        );
    }
    if base_url.starts_with("http://") && !is_local(base_url) {
        return Finding::warning(
            "address",
            format!("{base_url} is not encrypted: whoever is on the way reads who is called"),
            "Put a certificate in front of the server, and set BASE_URL=https://...",
        );
    }
    Finding::ok("address", base_url)
}

/// What answers at `BASE_URL`, asked from this machine. `has_server`: whether one answers here without it.
pub fn judge_reached(base_url: &str, reached: &Reached, has_server: bool) -> Finding {
    match reached {
        Reached::Ours => Finding::ok(
            "reached",
            format!("{base_url} leads to a server of redial, as asked from this machine; from elsewhere nobody can tell here"),
        ),
        Reached::Elsewhere(to) => Finding::problem(
            "reached",
            format!("{base_url} sends its callers on to {to}"),
            "Set BASE_URL to the address where that ends: the carrier follows such a step without the callback's \
             fields.",
        ),
        Reached::Foreign(status) => Finding::problem(
            "reached",
            format!("at {base_url} something answers HTTP {status}, and it is not redial"),
            "Let the proxy or tunnel there pass /healthz, /twilio/status and /twilio/voice to the server, unchanged \
             and without a sign-in of its own.",
        ),
        Reached::Nothing(why) if has_server => Finding::problem(
            "reached",
            format!("{base_url} does not answer this machine ({why})"),
            "Check the name, the certificate, the firewall and that the proxy or tunnel runs. Some networks cannot \
             reach their own public address: then try {base_url}/healthz from elsewhere."
                .replace("{base_url}", base_url),
        ),
        Reached::Nothing(_) => Finding::skipped(
            "reached",
            format!("{base_url} was not looked at: no server runs here"),
            "",
        ),
    }
}

/// Whether only this machine reaches the address.
fn is_local(base_url: &str) -> bool {
    let listen = SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    server::keyless_is_safe(listen, base_url).is_ok()
}
