//! The command that is printed is the command that was given.

use clap::CommandFactory as _;

use super::*;

/// Reads a printed command as the program does; `cargo xtask <word>` is its name.
fn read(command: &str) -> Args {
    let words = command.split(' ').skip(2);
    Args::try_parse_from(words).unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Whether every option of `command` stands in `printed`, but these.
fn names_all(printed: &str, command: &clap::Command, but: &[&str]) {
    let options = command.get_arguments().filter_map(clap::Arg::get_long);
    let mut named = 0;
    for option in options.filter(|it| *it != "help" && !but.contains(it)) {
        assert!(
            printed.contains(&format!("--{option} ")),
            "--{option} is missing: {printed}"
        );
        named += 1;
    }
    assert!(named > 2, "{named} options");
}

#[test]
fn the_command_for_the_same_again_has_every_option_and_makes_the_same_plan() {
    for (length, other) in [("--minutes 1.5", "kills"), ("--kills 30", "minutes")] {
        for store in ["postgres", "sqlite"] {
            let given =
                format!("cargo xtask torture {length} --store {store} --nodes 5 --freeze 60.5 --seed 77");
            let args = read(&given);
            let seed = args.seed.expect("given");
            let plan = args.plan(args.store.expect("given"), seed).expect("a plan");
            let printed = again(&plan);
            names_all(&printed, &Args::command(), &[other]);
            let same = read(&printed);
            assert_eq!(same.seed, Some(seed));
            assert_eq!(
                same.plan(same.store.expect("printed"), seed).expect("a plan"),
                plan
            );
        }
    }
}

#[test]
fn so_does_the_one_for_losing_primaries() {
    let plan = patroni::Plan {
        nodes: 4,
        seed: 9,
        lasts: Duration::from_secs(90),
    };
    let printed = losses_again(&plan);
    let command = Args::command();
    let command = command.find_subcommand("patroni").expect("there");
    names_all(&printed, command, &[]);
    let words = printed.replace("cargo xtask patroni", "redial-torture patroni");
    let args = Args::try_parse_from(words.split(' ')).expect("it can be read");
    let Some(Other::Patroni { minutes, seed, nodes }) = args.other else {
        panic!("{printed}");
    };
    assert_eq!((minutes, seed, nodes), (1.5, Some(9), 4));
}
