//! What a run tells: each fault and how often, what it could not do and why, the amounts, the verdict, and how to run
//! it again.

use comfy_table::{Table, presets};

use crate::check::Broken;
use crate::fault::FAULTS;
use crate::place::Store;
use crate::run::{Plan, Report};

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
    let statuses: Vec<String> = report
        .answers
        .statuses
        .iter()
        .map(|(status, count)| match status {
            0 => format!("no answer {count}"),
            _ => format!("{status} {count}"),
        })
        .collect();
    println!("answers to the clients: {}", statuses.join(", "));
    println!(
        "{} kills in {:.0} s of faults; nodes that ended because the store was not there: {}",
        report.kills,
        report.faults_lasted.as_secs_f64(),
        report.ended_by_themselves
    );
    if let Ok(amounts) = &report.verdict {
        println!(
            "{} calls ({} asked for again, {} canceled), {} attempts, {} rings",
            amounts.calls, amounts.repeats, amounts.canceled, amounts.attempts, amounts.rings
        );
        println!(
            "{} attempts unconfirmed, where faults can have caused {}; {} corrected later",
            amounts.unconfirmed, report.chances, amounts.corrected
        );
    }
    println!(
        "all over {:.1} s after the last fault",
        report.over_after.as_secs_f64()
    );
    match &report.verdict {
        Ok(_) => println!("every rule holds"),
        Err(broken) => told(broken, report),
    }
    println!("again: {}", again(plan));
}

fn told(broken: &Broken, report: &Report) {
    println!("BROKEN: {}", broken.rule);
    broken.rows.iter().for_each(|row| println!("  {row}"));
    if let Some(kept) = &report.kept {
        println!("logs are kept in {}", kept.display());
    }
}

/// The command that makes the same choices.
fn again(plan: &Plan) -> String {
    let store = match plan.store {
        Store::Sqlite => "sqlite".to_owned(),
        Store::Postgres => format!("postgres --nodes {}", plan.nodes),
    };
    let length = match plan.kills {
        Some(kills) => format!("--kills {kills}"),
        None => format!("--minutes {}", plan.lasts.as_secs_f64() / 60.0),
    };
    format!(
        "cargo xtask torture --store {store} {length} --seed {}",
        plan.seed
    )
}
