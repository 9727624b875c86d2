//! What is a command, what is output, and what `...` stands for.

use super::*;

fn step(command: &str, output: &[&str]) -> (String, Vec<String>) {
    (
        command.to_owned(),
        output.iter().map(|it| (*it).to_owned()).collect(),
    )
}

#[test]
fn commands_go_on_behind_a_backslash_and_what_follows_is_their_output() {
    let page = Page::read(
        "Text.\n\n```console\n$ one\n$ two \\\n    --more\nsaid\n\nagain\n```\n\n1. In a list\n\n   ```console\n   $ three\n   ```\n\n```sh\nnever\n```\n",
    );
    let steps: Vec<_> = page.steps.into_iter().map(|it| (it.command, it.output)).collect();
    let wanted = [
        step("one", &[]),
        step("two \\\n    --more", &["said", "", "again"]),
        step("three", &[]),
    ];
    assert_eq!(steps, wanted);
    assert_eq!(page.others, BTreeMap::from([("sh".to_owned(), 1)]));
    assert_eq!(page.unfenced, Vec::<String>::new());
}

#[test]
fn code_without_a_fence_is_noticed() {
    assert_eq!(
        Page::read("Do:\n\n    redial serve\n").unfenced,
        ["    redial serve"]
    );
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    #[track_caller]
    fn check(shown: &[&str], said: &str, is_so: bool) {
        let output = shown.iter().map(|it| (*it).to_owned()).collect();
        let step = Step {
            line: 1,
            command: String::new(),
            output,
        };
        assert_eq!(step.shows(said), is_so, "{shown:?} of {said:?}");
    }
    check(&[], "whatever\n", true);
    check(&["a", "b"], "a\nb  \n", true);
    check(&["a"], "a\nb\n", false);
    check(&["a", "..."], "a\nb\nc\n", true);
    check(&["...", "c"], "a\nb\nc\n", true);
    check(&["...", "b"], "a\nb\nc\n", false);
    check(&["call ... to ... ended"], "call 7 to ada to bob ended\n", true);
    check(&["call ... ended"], "call 7 goes on\n", false);
    check(&["..."], "", true);
}
