//! What a run tells: each fault and how often, what it could not do and why, the amounts, the verdict, and how to run
//! it again.

use std::time::Duration;

use comfy_table::{Table, presets};

use crate::args::{again, losses_again};
use crate::fault::FAULTS;
use crate::patroni;
use crate::run::{Plan, Report};
use crate::settle::Ending;

/// Prints it.
pub fn print(plan: &Plan, report: &Report) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["fault", "injected", "skipped because"]);
    for (fault, _) in FAULTS.iter().filter(|(fault, _)| fault.fits(plan.store)) {
        let done = report.done.get(fault).copied().unwrap_or(0);
        let why = report.skipped.get(fault).map_or("", String::as_str);
        let why = if done == 0 && why.is_empty() {
            "never drawn"
        } else {
            why
        };
        table.add_row([fault.to_string(), done.to_string(), why.to_owned()]);
    }
    println!("{table}");
    println!(
        "{} kills in {:.0} s of faults; nodes that ended because the store was not there: {}",
        report.kills,
        report.faults_lasted.as_secs_f64(),
        report.ended_by_themselves
    );
    close(&report.ending);
    println!("again: {}", again(plan));
}

/// Prints what came of losing primaries.
pub fn failovers(plan: &patroni::Plan, report: &patroni::Report) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "the primary",
        "another after",
        "no dial for",
        "no create taken for",
    ]);
    let seconds = |it: Duration| format!("{:.1} s", it.as_secs_f64());
    for it in &report.failovers {
        table.add_row([
            it.loss.to_string(),
            seconds(it.took),
            seconds(it.no_dial),
            seconds(it.no_create),
        ]);
    }
    println!("{table}");
    println!(
        "nodes that ended by themselves: {}; servers that did not find back and were made anew: {}",
        report.ended_by_themselves, report.made_anew
    );
    close(&report.ending);
    println!("again: {}", losses_again(plan));
}

/// What every run ends with.
fn close(ending: &Ending) {
    let named = |(status, count): (&u16, &u64)| match status {
        0 => format!("no answer {count}"),
        _ => format!("{status} {count}"),
    };
    let statuses: Vec<String> = ending.answers.statuses.iter().map(named).collect();
    println!("answers to the clients: {}", statuses.join(", "));
    if let Ok(amounts) = &ending.verdict {
        println!(
            "{} calls ({} asked for again, {} canceled), {} attempts, {} rings",
            amounts.calls, amounts.repeats, amounts.canceled, amounts.attempts, amounts.rings
        );
        println!(
            "{} attempts unconfirmed, where faults can have caused {}; {} corrected later",
            amounts.unconfirmed, ending.chances, amounts.corrected
        );
    }
    println!(
        "all over {:.1} s after the last fault",
        ending.over_after.as_secs_f64()
    );
    match &ending.verdict {
        Ok(_) => println!("every rule holds"),
        Err(broken) => {
            println!("BROKEN: {}", broken.rule);
            broken.rows.iter().for_each(|row| println!("  {row}"));
        }
    }
    if let Some(kept) = &ending.kept {
        println!("logs are kept in {}", kept.display());
    }
}
