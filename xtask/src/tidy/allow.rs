//! The exceptions to the rules, in `tidy-allow.txt`: `rule path reason`, one a line. The list only gets shorter.

use std::collections::BTreeSet;

use super::Finding;

/// Where the exceptions stand.
pub const FILE: &str = "tidy-allow.txt";

/// How many exceptions there are. A line more is refused, and a line less must be noted here, so that the number
/// can only sink without a change that a reviewer sees.
pub const CEILING: usize = 0;

/// Takes out the findings that are excepted, and adds one for each exception that is wrong, stale or too many.
pub fn apply(findings: Vec<Finding>, list: &str, ceiling: usize) -> Vec<Finding> {
    let mut objections = Vec::new();
    let mut exceptions = BTreeSet::new();
    for (at, line) in list.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next().map(str::trim)) {
            (Some(rule), Some(path), Some(reason)) if !reason.is_empty() => {
                exceptions.insert((rule, path));
            }
            _ => objections.push(Finding::new(
                "allow",
                FILE,
                at + 1,
                "write: rule path reason".to_owned(),
            )),
        }
    }
    if exceptions.len() != ceiling {
        let text = format!(
            "{} exceptions, the ceiling is {ceiling}: when one went away lower CEILING in xtask/src/tidy/allow.rs; \
             when one came, mend the code instead",
            exceptions.len()
        );
        objections.push(Finding::new("allow", FILE, 0, text));
    }
    let mut used = BTreeSet::new();
    for finding in findings {
        match exceptions
            .iter()
            .find(|it| **it == (finding.rule, finding.path.as_str()))
            .copied()
        {
            Some(exception) => {
                used.insert(exception);
            }
            None => objections.push(finding),
        }
    }
    for (rule, path) in exceptions.difference(&used) {
        let text = format!("`{rule} {path}` is not needed any more: delete the line");
        objections.push(Finding::new("allow", FILE, 0, text));
    }
    objections
}
