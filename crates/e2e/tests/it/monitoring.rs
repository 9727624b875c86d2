//! The dashboard and the alerts ask for figures that a server really gives, from its start on.

use std::collections::{BTreeMap, BTreeSet};

use e2e::World;
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../../packaging/grafana/redial.json");
const RULES: &str = include_str!("../../../../packaging/prometheus/redial.rules.yml");

/// The names of the figures, each with the words that tell its rows apart.
type Figures = BTreeMap<String, BTreeSet<String>>;

/// What begins the name of every figure.
const PREFIX: &str = "redial_";

/// The figures that a text names: of `redial_x{word="y"}` and the like both name and word.
fn named(text: &str) -> Figures {
    let mut figures = Figures::new();
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    for (at, _) in text.match_indices(PREFIX) {
        let rest = &text[at..];
        let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
        let words = figures.entry(rest[..end].to_owned()).or_default();
        let labels = rest[end..].strip_prefix('{').and_then(|it| it.split_once('}'));
        let Some((labels, _)) = labels else { continue };
        if let Some((_, value)) = labels.split_once("word=\"") {
            words.extend(value.split('"').next().map(str::to_owned));
        }
    }
    figures
}

/// Every figure of a server that has just started.
fn given() -> Figures {
    let world = World::start();
    let answer = world.send("GET", "/metrics", &[], b"");
    assert_eq!(answer.status, 200);
    named(&answer.text)
}

#[track_caller]
fn assert_given(given: &Figures, wanted: &Figures) {
    assert!(!wanted.is_empty());
    for (name, words) in wanted {
        let there = given.get(name);
        let there = there.unwrap_or_else(|| panic!("/metrics has no {name}, only {:?}", given.keys()));
        assert!(
            words.is_subset(there),
            "{name} has the words {there:?}, not {words:?}"
        );
    }
}

#[test]
fn alerts_ask_for_figures_that_are_there_from_the_start() {
    // Not in comments.
    let rules: String = RULES
        .lines()
        .filter(|it| !it.trim_start().starts_with('#'))
        .collect();
    assert_given(&given(), &named(&rules));
}

#[test]
fn every_figure_is_on_the_dashboard_and_nothing_else_is() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("a list");
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().expect("a list"));
    let mut asked = String::new();
    for target in targets {
        asked.push_str(target["expr"].as_str().expect("a text"));
        asked.push('\n');
    }
    let (given, wanted) = (given(), named(&asked));
    assert_given(&given, &wanted);
    let family = |name: &str| {
        let ends = ["_bucket", "_sum", "_count", "_total"];
        let end = ends.iter().find_map(|end| name.strip_suffix(end));
        end.unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<String> = wanted.keys().map(|it| family(it)).collect();
    let all: BTreeSet<String> = given.keys().map(|it| family(it)).collect();
    assert_eq!(shown, all);
}
