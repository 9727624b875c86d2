//! The figures for people and for machines.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::figures::{Samples, short};
use crate::pair::{Paired, all};
use crate::world::World;

/// What a figure is held against.
#[derive(Clone, Copy)]
pub struct Goal {
    /// The least that is acceptable.
    pub floor: f64,
    /// What is wanted.
    pub goal: f64,
    /// A smaller figure is the better one.
    pub smaller: bool,
}

impl Goal {
    /// At least so much.
    pub const fn at_least(floor: f64, goal: f64) -> Option<Self> {
        Some(Self {
            floor,
            goal,
            smaller: false,
        })
    }

    /// At most so much.
    pub const fn at_most(floor: f64, goal: f64) -> Option<Self> {
        Some(Self {
            floor,
            goal,
            smaller: true,
        })
    }

    fn met(&self, value: f64) -> &'static str {
        let reaches = |bound: f64| {
            if self.smaller {
                value <= bound
            } else {
                value >= bound
            }
        };
        match (reaches(self.goal), reaches(self.floor)) {
            (true, _) => "goal",
            (false, true) => "floor",
            (false, false) => "MISSED",
        }
    }
}

/// One figure.
pub struct Line {
    /// What was measured.
    pub what: String,
    /// The samples that are judged.
    pub figure: Samples,
    /// Their unit; `ratio` for a ratio.
    pub unit: &'static str,
    /// What they are held against.
    pub goal: Option<Goal>,
    /// What else is worth knowing.
    pub note: String,
}

impl Line {
    /// A figure of a single sample.
    pub fn single(what: &str, value: f64, unit: &'static str, goal: Option<Goal>, note: String) -> Self {
        Self {
            what: what.to_owned(),
            figure: [value].into_iter().collect(),
            unit,
            goal,
            note,
        }
    }

    /// A rate as the ratio to its base, the absolute figures beside it.
    pub fn ratio(what: &str, paired: &Paired, goal: Option<Goal>) -> Self {
        let row = |of: fn(&crate::pair::Sample) -> f64| all(&paired.row, of).median();
        let note = format!(
            "{} /s beside {} /s; p50 {} ms, p99 {} ms; CPU {} us each, {} times the base's; {} KiB to the disk each",
            short(row(|it| it.outcome.rate())),
            short(all(&paired.base, |it| it.outcome.rate()).median()),
            short(row(|it| it.outcome.p50_us as f64 / 1_000.0)),
            short(row(|it| it.outcome.p99_us as f64 / 1_000.0)),
            short(row(|it| it.cpu_us)),
            short(paired.of_cpu().median()),
            short(row(|it| it.written_kib)),
        );
        Self {
            what: what.to_owned(),
            figure: paired.of_rate(),
            unit: "ratio",
            goal,
            note,
        }
    }
}

/// Prints the table.
pub fn text(world: &World, lines: &[Line]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "what",
        "median",
        "min to max",
        "unit",
        "floor",
        "goal",
        "met",
        "beside",
    ]);
    for line in lines {
        let (least, most) = line.figure.spread();
        let bound = |of: fn(&Goal) -> f64| line.goal.as_ref().map_or("-".to_owned(), |goal| short(of(goal)));
        table.add_row([
            line.what.clone(),
            short(line.figure.median()),
            if least == most {
                "-".to_owned()
            } else {
                format!("{} to {}", short(least), short(most))
            },
            line.unit.to_owned(),
            bound(|goal| goal.floor),
            bound(|goal| goal.goal),
            line.goal
                .map_or("-", |goal| goal.met(line.figure.median()))
                .to_owned(),
            line.note.clone(),
        ]);
    }
    for column in [1, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{}", machine(world));
    println!("{}", table.trim_fmt());
}

/// Prints the same as JSON.
pub fn json(world: &World, lines: &[Line]) {
    let rows: Vec<Value> = lines
        .iter()
        .map(|line| {
            let (least, most) = line.figure.spread();
            json!({
                "what": line.what, "median": line.figure.median(), "min": least, "max": most, "unit": line.unit,
                "floor": line.goal.map(|goal| goal.floor), "goal": line.goal.map(|goal| goal.goal),
                "met": line.goal.map(|goal| goal.met(line.figure.median())), "note": line.note,
            })
        })
        .collect();
    println!("{:#}", json!({ "machine": machine(world), "rows": rows }));
}

/// What the figures were measured on.
fn machine(world: &World) -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown processor");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{} x {}, Linux {}; load average now {}; database in {}",
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        model.trim_start_matches(['\t', ' ', ':']),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
        world.folder.path().display(),
    )
}
