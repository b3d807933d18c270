//! Every command line of the manual can be typed.

use callrounds::cli::args::Cli;
use clap::Parser;
use clap::error::ErrorKind;

use super::{Page, manual};

/// The commands of a line of shell, each as its words: without variables before it, redirections and comments.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut letters = line.trim_start().strip_prefix("$ ").unwrap_or(line).chars().peekable();
    // The word after `<` and `>` is a file's name.
    let (mut word, mut is_word, mut is_file) = (String::new(), false, false);
    let end = |word: &mut String, is_word: &mut bool, is_file: &mut bool, commands: &mut Vec<Vec<String>>| {
        if std::mem::take(is_word) && !std::mem::take(is_file) {
            commands.last_mut().expect("a command").push(std::mem::take(word));
        }
        word.clear();
    };
    while let Some(c) = letters.next() {
        match c {
            '#' if !is_word => break,
            '\'' | '"' => {
                is_word = true;
                word.extend(letters.by_ref().take_while(|next| *next != c));
            }
            '<' | '>' => {
                if word.chars().all(|c| c.is_ascii_digit()) {
                    word.clear();
                    is_word = false;
                }
                end(&mut word, &mut is_word, &mut is_file, &mut commands);
                is_file = true;
            }
            '|' | '&' | ';' | '(' | ')' => {
                end(&mut word, &mut is_word, &mut is_file, &mut commands);
                commands.push(Vec::new());
            }
            c if c.is_whitespace() => end(&mut word, &mut is_word, &mut is_file, &mut commands),
            c => {
                is_word = true;
                word.push(c);
            }
        }
    }
    end(&mut word, &mut is_word, &mut is_file, &mut commands);
    for command in &mut commands {
        let variables = command.iter().take_while(|word| is_assignment(word)).count();
        command.drain(..variables);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || "_0123456789".contains(c))
    })
}

/// What is typed to run this program, of all that a line of shell does: the words from its name on.
pub(super) fn ours(line: &str) -> Vec<Vec<String>> {
    let mut ours = Vec::new();
    for command in commands(line) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["callrounds", ..] => ours.push(command),
            ["cargo", "run", "--", rest @ ..] => {
                ours.push(std::iter::once("callrounds").chain(rest.iter().copied()).map(str::to_owned).collect());
            }
            _ => {}
        }
    }
    ours
}

/// The lines of a block, those joined that a backslash continues.
pub(super) fn joined(lines: &[&str]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        let (text, more) = line.strip_suffix('\\').map_or((*line, false), |text| (text, true));
        match joined.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(text),
            None => joined.push(text.to_owned()),
        }
        goes_on = more;
    }
    joined
}

/// Why a command line cannot be typed. What stands for something else is replaced by an example, `…` by nothing.
fn refused(words: &[String]) -> Option<String> {
    let example = |word: &String| match word.as_str() {
        "ENTRY" | "RUN" | "N" => "1".to_owned(),
        "SPAN" => "90d".to_owned(),
        _ => word.clone(),
    };
    let words = words.iter().filter(|word| *word != "…").map(example);
    let error = Cli::try_parse_from(words).err()?;
    let is_asked_for = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion].contains(&error.kind());
    (!is_asked_for).then(|| error.to_string())
}

#[test]
fn every_command_line_of_the_manual_can_be_typed() {
    let (mut typed, mut wrong) = (0, Vec::new());
    let mut look = |page: &Page, line: &str| {
        for words in ours(line) {
            typed += 1;
            wrong.extend(refused(&words).map(|why| format!("{}: {}\n{why}", page.path, words.join(" "))));
        }
    };
    for page in manual() {
        for (_, lines) in page.blocks() {
            for line in joined(&lines) {
                look(&page, &line);
            }
        }
        // A span with brackets or an ellipsis shows a form, not a command.
        let shown =
            page.spans().into_iter().filter(|span| span.starts_with("callrounds ") && !span.contains(['…', '[']));
        shown.for_each(|span| look(&page, span));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(typed >= 60, "{typed} command lines");
}

#[test]
fn a_line_of_shell_is_read_as_the_shell_reads_it() {
    for (line, expected) in [
        ("$ callrounds status   # where", vec!["callrounds status"]),
        (
            "ANNIE_API_KEY=… A=b callrounds run my.toml --yes --json > events.jsonl",
            vec!["callrounds run my.toml --yes --json"],
        ),
        (
            "35 9 * * 1-5 cd /srv && . ./annie.env && callrounds run r.toml 2>> r.log || ./tell $?",
            vec!["callrounds run r.toml"],
        ),
        ("callrounds check r.toml --list - < export.csv | head", vec!["callrounds check r.toml --list -"]),
        ("callrounds suppress add \"+1 312 555 0142\"", vec!["callrounds suppress add +1 312 555 0142"]),
        ("cargo run -- run campaigns/demo-recall.toml", vec!["callrounds run campaigns/demo-recall.toml"]),
        ("# callrounds nothing", vec![]),
        ("error: callrounds is not the first word", vec![]),
    ] {
        let found: Vec<_> = ours(line).iter().map(|words| words.join(" ")).collect();
        assert_eq!(found, expected, "{line}");
    }
    assert_eq!(joined(&["a \\", "b", "c"]), ["a b", "c"]);
    assert!(refused(&["callrounds", "run"].map(str::to_owned)).is_some());
    assert!(refused(&["callrounds", "run", "my.toml", "--lisst", "x"].map(str::to_owned)).is_some());
    assert!(refused(&["callrounds", "resolve", "ENTRY", "--not-placed"].map(str::to_owned)).is_none());
}
