//! Which crate may depend on which: the direction in which knowledge flows.
//!
//! Only dependencies that reach a user count (normal and build ones): tests may use anything.

use toml::{Table, Value};

use super::Finding;
use super::tree::Tree;

/// Each crate and the crates of ours it may know.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("carrier", &["domain"]),
    ("store-sqlite", &["store", "domain"]),
    ("store-postgres", &["store", "domain"]),
    ("carrier-twilio", &["carrier", "domain"]),
    ("engine", &["domain", "store", "carrier"]),
    ("server", &["engine", "domain"]),
    ("sim", &[]),
    ("prototype", &["domain"]),
    (
        "cli",
        &[
            "domain",
            "store",
            "carrier",
            "store-sqlite",
            "store-postgres",
            "carrier-twilio",
            "engine",
            "server",
            "sim",
            "prototype",
        ],
    ),
    ("protocol", &[]),
    ("store-contract", ANYTHING),
    ("testkit", ANYTHING),
    ("e2e", ANYTHING),
    ("hostile", ANYTHING),
    ("bench", ANYTHING),
    ("world", ANYTHING),
    ("torture", ANYTHING),
    ("xtask", &[]),
];

/// Marks the crates that no user gets: they may know all others.
const ANYTHING: &[&str] = &["*"];

/// Foreign crates that have one home each, and their homes.
const HOMES: &[(&str, &[&str])] = &[
    ("axum", &["server", "sim", "bench"]),
    ("rusqlite", &["store-sqlite"]),
    ("tokio-postgres", &["store-postgres"]),
    ("anyhow", &["cli", "xtask"]),
    ("rand", &["engine", "sim"]),
    ("fastrand", &["engine", "sim"]),
];

/// Every edge outside the table, every crate the table does not know, every foreign crate away from home.
pub fn edges(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.all().filter(|it| it.path.ends_with("/Cargo.toml")) {
        let manifest: Table = match file.text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                found.push(Finding::new(
                    "edge",
                    &file.path,
                    0,
                    format!("not readable: {error}"),
                ));
                continue;
            }
        };
        let name = manifest
            .get("package")
            .and_then(|it| it.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some((_, allowed)) = EDGES.iter().find(|it| it.0 == name) else {
            let text = format!("crate `{name}` is not in the table of edges (xtask/src/tidy/edges.rs)");
            found.push(Finding::new("edge", &file.path, 0, text));
            continue;
        };
        for dependency in shipped(&manifest) {
            if let Some(text) = objection(name, allowed, &dependency) {
                found.push(Finding::new("edge", &file.path, 0, text));
            }
        }
    }
    found
}

fn objection(name: &str, allowed: &[&str], dependency: &str) -> Option<String> {
    let ours = EDGES.iter().any(|it| it.0 == dependency);
    if ours && allowed != ANYTHING && !allowed.contains(&dependency) {
        return Some(format!(
            "`{name}` may not depend on `{dependency}`: it may know {allowed:?}"
        ));
    }
    let (_, homes) = HOMES.iter().find(|it| it.0 == dependency)?;
    (!homes.contains(&name)).then(|| format!("`{dependency}` belongs in {homes:?}, not in `{name}`"))
}

/// The packages that a manifest's shipped code depends on.
fn shipped(manifest: &Table) -> Vec<String> {
    let mut names = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets
        .into_iter()
        .flat_map(|it| it.values())
        .filter_map(Value::as_table);
    for table in std::iter::once(manifest).chain(targets) {
        for kind in ["dependencies", "build-dependencies"] {
            let Some(dependencies) = table.get(kind).and_then(Value::as_table) else {
                continue;
            };
            let packages = dependencies.iter().map(|(key, value)| {
                value
                    .get("package")
                    .and_then(Value::as_str)
                    .unwrap_or(key)
                    .to_owned()
            });
            names.extend(packages);
        }
    }
    names
}
