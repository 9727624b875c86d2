//! The set-up with several nodes: that it can be read, that its nodes are given settings which there are, and that the
//! balancer knows them. No container is started: that needs a daemon.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

/// Where the simulated carrier listens in it.
const CARRIER: &str = "0.0.0.0:8081";

/// Reads both files and holds them against each other and against the binary at `redial`.
///
/// # Errors
/// What does not fit, in words.
pub fn check(root: &Path, redial: &Path) -> Result<()> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).with_context(|| name.to_owned());
    judge(
        &read("compose.yaml")?,
        &read("packaging/haproxy.cfg")?,
        &settings(redial)?,
    )?;
    eprintln!("xtask: packaging: compose: passed");
    Ok(())
}

/// The names of all settings, as the environment has them.
fn settings(redial: &Path) -> Result<BTreeSet<String>> {
    let mut config = Command::new(redial);
    let shown = config.args(["config", "--json"]).current_dir("/").output();
    let shown = shown.with_context(|| format!("{config:?}"))?;
    let settings: Value = serde_json::from_slice(&shown.stdout).context("`redial config --json`")?;
    let settings = settings.as_object().context("settings by their names")?;
    Ok(settings.keys().cloned().collect())
}

fn judge(compose: &str, balancer: &str, settings: &BTreeSet<String>) -> Result<()> {
    let documents = YamlLoader::load_from_str(compose).context("compose.yaml")?;
    let services = documents.first().map(|it| &it["services"]);
    let services = services.and_then(Yaml::as_hash).context("no services")?;
    let mut nodes = BTreeSet::new();
    for (name, service) in services {
        let name = name.as_str().context("a service without a name")?;
        if field(service, "build").is_badvalue() {
            continue;
        }
        let environment = field(service, "environment").as_hash().context("no settings")?;
        for setting in environment.keys().filter_map(Yaml::as_str) {
            if !settings.contains(setting) {
                bail!("compose.yaml gives {name} {setting}, which is no setting");
            }
        }
        match field(service, "command").as_vec() {
            None => {
                let database = field(service, "environment")["DATABASE_URL"].as_str();
                if !database.is_some_and(|it| it.starts_with("postgres://")) {
                    bail!("compose.yaml gives {name} no database that it could share");
                }
                nodes.insert(name);
            }
            Some(words) => {
                let words: Vec<_> = words.iter().filter_map(Yaml::as_str).collect();
                if words != ["sim", "--listen", CARRIER] || field(service, "profiles").is_badvalue() {
                    bail!("compose.yaml runs {words:?} as {name}, and not in a profile of its own");
                }
            }
        }
    }
    let known = balancer.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let place = (words.next() == Some("server")).then(|| words.nth(1)).flatten()?;
        place.strip_suffix(":8080")
    });
    let known: BTreeSet<_> = known.collect();
    if nodes.len() < 2 || known != nodes {
        bail!("haproxy.cfg knows {known:?}, and the nodes of compose.yaml are {nodes:?}");
    }
    if !balancer.contains("GET /healthz") {
        bail!("haproxy.cfg does not ask /healthz");
    }
    Ok(())
}

/// A field of a service, its own or of what it is merged with.
fn field<'a>(service: &'a Yaml, name: &str) -> &'a Yaml {
    match &service[name] {
        Yaml::BadValue => &service["<<"][name],
        own => own,
    }
}

#[cfg(test)]
mod tests {
    //! What is noticed.

    use super::*;

    const COMPOSE: &str = include_str!("../../../compose.yaml");
    const BALANCER: &str = include_str!("../../../packaging/haproxy.cfg");

    fn settings() -> BTreeSet<String> {
        let names = "BASE_URL DATABASE_URL REDIAL_API_KEYS REDIAL_CPS REDIAL_MESSAGE TWILIO_ACCOUNT_SID \
                     TWILIO_AUTH_TOKEN TWILIO_API_BASE";
        names.split(' ').map(str::to_owned).collect()
    }

    fn objection(compose: &str, balancer: &str) -> String {
        judge(compose, balancer, &settings()).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn what_is_shipped_fits() {
        assert_eq!(objection(COMPOSE, BALANCER), "");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (compose, balancer, words) in [
            (
                COMPOSE.replace("REDIAL_CPS:", "REDIAL_CSP:"),
                BALANCER.to_owned(),
                "no setting",
            ),
            (
                COMPOSE.replace("postgres://", "sqlite:"),
                BALANCER.to_owned(),
                "could share",
            ),
            (
                COMPOSE.replace("  node2:", "  node3:"),
                BALANCER.to_owned(),
                "node3",
            ),
            (
                COMPOSE.replace("profiles: [sim]", "tty: true"),
                BALANCER.to_owned(),
                "profile",
            ),
            (
                COMPOSE.to_owned(),
                BALANCER.replace("/healthz", "/readyz"),
                "/healthz",
            ),
        ] {
            let objection = objection(&compose, &balancer);
            assert!(objection.contains(words), "{objection}");
        }
    }
}
