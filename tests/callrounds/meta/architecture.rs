//! The architecture: the map in `src/lib.rs` is the tree, no module uses what it must not know, and no two files of a module
//! name each other's items.

mod file_graph;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use self::file_graph::FileGraph;

use crate::support::harness::repository;

/// A source file, without its tests.
struct Source {
    /// From `src/`, with `/`.
    path: String,
    /// Its code: no comments, nothing under `#[cfg(test)]`.
    code: String,
}

impl Source {
    /// The top-level module that it belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Its path as Rust writes it: `engine::tracker`.
    fn module_path(&self) -> String {
        self.path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
    }
}

fn sources() -> Vec<Source> {
    let root = repository().join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let mut sources: Vec<Source> = files
        .iter()
        .map(|file| (file.strip_prefix(&root).expect("under src").display().to_string(), file))
        .filter(|(path, _)| !is_test(path))
        .map(|(path, file)| Source { path, code: code(&fs::read_to_string(file).expect("text")) })
        .collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 80, "{} files: the sources are somewhere else", sources.len());
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).expect("a directory").map(|file| file.expect("a file").path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part.trim_end_matches(".rs").split('_').any(|word| word == "tests"))
}

/// Source text without comments, and without the items under `#[cfg(test)]`.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            skip_item(&mut lines);
            continue;
        }
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// Skips one item with its further attributes: to its semicolon, or to the brace at its own indentation.
fn skip_item<'t>(lines: &mut impl Iterator<Item = &'t str>) {
    let mut is_attribute = false;
    let first = lines.find(|line| {
        let starts = line.trim_start().starts_with("#[");
        let is_part = is_attribute || starts;
        is_attribute = is_part && !line.trim_end().ends_with(']');
        !is_part
    });
    let Some(first) = first else { return };
    if first.trim_end().ends_with([';', '}']) {
        return;
    }
    let indentation = &first[..first.len() - first.trim_start().len()];
    let end = format!("{indentation}}}");
    lines.by_ref().find(|line| line.starts_with(&end));
}

/// The top-level modules that a source uses.
fn uses(source: &Source) -> BTreeSet<&str> {
    source
        .code
        .match_indices("crate::")
        .flat_map(|(at, found)| {
            let rest = &source.code[at + found.len()..];
            let group = rest.strip_prefix('{').and_then(|group| group.split_once("};"));
            match group {
                Some((group, _)) => group.split(',').map(first_word).collect(),
                None => vec![first_word(rest)],
            }
        })
        .filter(|module| !module.is_empty() && *module != source.module())
        .collect()
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

fn modules() -> BTreeSet<String> {
    let declared = fs::read_to_string(repository().join("src/lib.rs")).expect("text");
    let names = declared.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(ToOwned::to_owned).collect()
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let text = fs::read_to_string(repository().join("src/lib.rs")).expect("text");
    let mut mapped = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("//! | [`")) {
        let cell = line.split('|').nth(1).expect("a first column");
        mapped.extend(cell.split('`').skip(1).step_by(2).map(ToOwned::to_owned));
    }
    let distinct: BTreeSet<_> = mapped.iter().cloned().collect();
    assert_eq!(distinct.len(), mapped.len(), "a module is on the map twice");
    assert_eq!(distinct, modules(), "the map and the modules of src/lib.rs");

    let found: BTreeSet<_> = fs::read_dir(repository().join("src"))
        .expect("src/")
        .map(|file| file.expect("a file").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(found, modules(), "the tree and the modules of src/lib.rs");
}

#[test]
fn nothing_uses_what_it_must_not_know() {
    const BASICS: [&str; 8] = ["bounded", "clock", "ids", "phone", "visible", "wording", "zone", "did_you_mean"];
    let allowed: BTreeMap<&str, Vec<&str>> = [
        ("clock", vec![]),
        ("bounded", vec![]),
        ("did_you_mean", vec![]),
        ("ending", vec!["exit_status"]),
        ("exit_status", vec![]),
        ("ids", vec!["visible"]),
        ("visible", vec![]),
        ("wording", vec![]),
        ("zone", vec!["did_you_mean"]),
        ("phone", vec!["zone"]),
        ("template", vec!["did_you_mean"]),
        ("entry", vec!["ids", "phone"]),
        ("outcome", vec!["entry"]),
        ("campaign", vec!["entry", "ids", "did_you_mean", "outcome", "phone", "template", "visible", "zone"]),
        ("policy", vec!["campaign", "entry", "ids", "phone", "zone"]),
        ("intake", vec!["campaign", "entry", "ids", "did_you_mean", "phone", "template", "visible", "wording", "zone"]),
        ("ledger", vec!["campaign", "ending", "entry", "ids", "phone", "policy", "visible", "wording", "zone"]),
        ("vendor", vec!["clock", "entry", "ids", "phone", "visible", "wording"]),
        ("engine", [BASICS.as_slice(), &["vendor", "campaign", "ending", "entry", "ledger", "policy"]].concat()),
        ("plan", [BASICS.as_slice(), &["vendor", "campaign", "engine", "entry", "ledger", "policy"]].concat()),
        (
            "report",
            [
                BASICS.as_slice(),
                &["campaign", "ending", "engine", "entry", "exit_status", "ledger", "outcome", "plan", "policy"],
            ]
            .concat(),
        ),
        ("simulator", vec!["bounded", "clock", "ids", "phone", "visible", "zone"]),
        ("error", vec!["exit_status", "ledger", "wording"]),
    ]
    .into();
    let named: BTreeSet<_> = allowed.keys().map(|name| (*name).to_owned()).chain(["cli".to_owned()]).collect();
    assert_eq!(named, modules(), "a module without a rule here");

    let mut checked = 0;
    for source in sources() {
        let Some(allowed) = allowed.get(source.module()) else { continue };
        for used in uses(&source) {
            assert!(allowed.contains(&used), "{} uses {used}, and must not know it", source.path);
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked} uses found: they are written in a way that this test does not see");
}

fn file_graph() -> FileGraph {
    let sources = sources();
    FileGraph::new(&sources.iter().map(|source| (source.module_path(), source.code.as_str())).collect())
}

#[test]
fn no_two_files_of_a_module_name_each_other() {
    let graph = file_graph();
    assert_eq!(graph.circles(), Vec::<Vec<String>>::new(), "move what both need to a file of its own");
    let uses = graph.uses().count();
    assert!(uses > 1_000, "{uses} uses found: they are written in a way that this test does not see");
}

#[test]
fn only_the_command_line_knows_the_annie_api() {
    let graph = file_graph();
    let is_inside = |file: &str, module: &str| file == module || file.starts_with(&format!("{module}::"));
    let is_of_annie = |file: &str| is_inside(file, "vendor::annie");
    let of_others: Vec<_> = graph.uses().filter(|(file, used)| is_of_annie(used) && !is_of_annie(file)).collect();
    let files: BTreeSet<_> = of_others.iter().map(|(file, _)| *file).collect();
    assert_eq!(files, ["cli::vendor_config", "cli::webhooks"].into(), "the files that use `vendor::annie`");
    assert!(of_others.len() > 3, "{of_others:?}");
}

#[test]
fn only_the_annie_api_and_the_command_line_speak_of_annie() {
    let of_every_vendor =
        ["ending", "engine", "entry", "intake", "ledger", "outcome", "plan", "policy", "report", "template", "vendor"];
    // The module's declaration, and what people are told to look at when a run ends.
    let except = ["vendor/mod.rs", "engine/outage.rs", "ending.rs"];
    let is_shared =
        |source: &Source| of_every_vendor.contains(&source.module()) && !source.path.starts_with("vendor/annie/");
    assert!(sources().iter().any(|source| is_shared(source) && source.path.starts_with("vendor/http/")));
    nowhere(&["annie", "Annie", "ANNIE"], is_shared, &except);
    nowhere(&["/conversations", "/calls", "/phone-numbers", "X-RateLimit"], is_shared, &[]);
}

/// The uses of `m::a` in a crate with the modules `m` (with this code), `m::a` (with this code) and `m::b`.
fn uses_of_a(m: &'static str, a: &'static str) -> Vec<String> {
    let code = [("m", m), ("m::a", a), ("m::b", "pub mod inner { pub struct B; }"), ("m::b::inner", "pub struct B;")];
    let graph = FileGraph::new(&code.map(|(module, code)| (module.to_owned(), code)).into());
    graph.uses().filter(|(file, _)| *file == "m::a").map(|(_, used)| used.to_owned()).collect()
}

#[test]
fn the_file_graph_reads_past_strings_characters_and_comments() {
    for a in [
        r#"const S: &str = "cannot use {"; fn f() { super::b::g() }"#,
        r##"const S: &str = r#"use { " \"#; const T: &[u8] = br"\"; fn f() { super::b::g() }"##,
        r#"const S: char = '"'; const T: [char; 2] = ['\'', '{']; fn f<'a>(_: &'a str) { super::b::g() } // use "x"#,
        "fn f() { /* use { /* \" */ */ super::b::g() }",
        "fn f<'a>(x: &'a str) -> impl Fn() + use<'a> { super::b::g(x) } fn h() {}",
        "fn f() { g!(use super); super::b::g() }",
        "pub(in super::super) fn f() { super::b::g() }",
    ] {
        assert_eq!(uses_of_a("", a), ["m::b"], "{a}");
    }
    for nothing in ["const S: &str = \"super::b::g\";", "// super::b::g()\nfn f() {}", "/* super::b::g() */"] {
        assert!(uses_of_a("", nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn the_file_graph_follows_imported_names() {
    for (m, a) in [
        ("", "use super::b; fn f() { b::inner::g() }"),
        ("", "use super::{b as c}; use c::inner::B;"),
        ("", "use crate::m as n; fn f() { n::b::inner::g() }"),
        ("pub use b::inner as c;", "fn f() { super::c::g() }"),
        ("pub(crate) use b::{inner::{self as c}};", "use super::c; fn f() { c::B }"),
    ] {
        assert!(uses_of_a(m, a).contains(&"m::b::inner".to_owned()), "{m} {a}: {:?}", uses_of_a(m, a));
    }
}

#[test]
#[should_panic(expected = "m::a: name what `m::b::*` imports")]
fn the_file_graph_refuses_a_glob_import() {
    uses_of_a("", "use super::b::*;");
}

#[test]
fn the_file_graph_sees_a_circle_through_a_re_export() {
    let code = |b: &'static str| {
        BTreeMap::from([
            ("m".to_owned(), "pub use c::C; mod b; mod c; fn f() { b::g() }"),
            ("m::b".to_owned(), b),
            ("m::c".to_owned(), "use super::b::g; pub struct C;"),
        ])
    };
    assert_eq!(FileGraph::new(&code("fn g() {}")).circles(), Vec::<Vec<String>>::new());
    let circle = vec![vec!["m::b".to_owned(), "m::c".to_owned()]];
    assert_eq!(FileGraph::new(&code("use crate::{other, m::{self as n, C as D}};")).circles().len(), 1);
    assert_eq!(FileGraph::new(&code("fn g() -> super::C { super::C }")).circles(), circle);
}

/// Finds `words` in the code of the sources that `within` picks; `except` names the files that may.
fn nowhere(words: &[&str], within: impl Fn(&Source) -> bool, except: &[&str]) {
    let sources = sources();
    for source in sources.iter().filter(|source| within(source) && !except.contains(&source.path.as_str())) {
        for word in words {
            let line = source.code.lines().find(|line| line.contains(word));
            assert_eq!(line, None, "{}: `{word}` must not be used here", source.path);
        }
    }
    for path in except {
        let source = sources.iter().find(|source| source.path == *path).unwrap_or_else(|| panic!("{path} is gone"));
        assert!(words.iter().any(|word| source.code.contains(word)), "{path} needs no exception any more");
    }
}

#[test]
fn what_decides_does_no_input_or_output() {
    let pure = ["policy", "entry", "outcome", "campaign", "template", "phone", "zone", "did_you_mean", "ids"];
    nowhere(
        &["std::fs", "std::net", "std::io", "tokio", "reqwest", "rusqlite"],
        |source| pure.contains(&source.module()),
        &[],
    );
    let is_intake = |source: &Source| source.module() == "intake" && !source.path.starts_with("intake/list/");
    nowhere(&["std::net", "tokio", "File::open"], is_intake, &[]);
}

#[test]
fn one_file_reads_the_clock() {
    nowhere(&["Utc::now", "Local::now", "SystemTime::now"], |_| true, &["clock.rs"]);
    // How long a peer may keep us waiting is a real duration, whatever the run's clock does; tests can pause it too,
    // because it is tokio's. So is how long a turn of the run took, which tells of a clock that was set meanwhile.
    nowhere(
        &["Instant::now"],
        |_| true,
        &["clock.rs", "vendor/annie/auth/tokens.rs", "vendor/annie/client/mod.rs", "engine/dispatcher/turn_timer.rs"],
    );
    nowhere(&["std::time::Instant", "time::{Duration, Instant}"], |_| true, &[]);
    // Another process needs real time to write its name into the lock that it got.
    nowhere(&["thread::sleep"], |_| true, &["ledger/lock.rs"]);
}

#[test]
fn only_the_command_line_touches_the_process() {
    let inside = |source: &Source| !["cli", "main"].contains(&source.module());
    nowhere(&["std::env", "process::exit", "println!", "print!", "io::stdout", "io::stderr"], inside, &[]);
    // A list may be `-`.
    nowhere(&["stdin()"], inside, &["intake/list/source.rs"]);
    nowhere(&["stderr()"], inside, &["report/progress.rs"]);
}

#[test]
fn sql_is_the_ledgers_alone() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA ", "rusqlite"];
    nowhere(&words, |source| source.module() != "ledger", &[]);
    // And there it is in files.
    nowhere(&["SELECT ", "INSERT INTO", "DELETE FROM", "PRAGMA "], |source| source.module() == "ledger", &[]);
}

#[test]
fn the_cases_of_every_store_know_no_store() {
    let mut files = Vec::new();
    collect(&repository().join("src/ledger/tests"), &mut files);
    let cases: Vec<_> = files.iter().filter(|file| !file.to_string_lossy().contains("/tests/sqlite/")).collect();
    assert!(cases.len() > 8, "{cases:?}");
    for file in cases {
        let text = fs::read_to_string(file).expect("text");
        for word in ["rusqlite", "Connection", "SELECT ", "Ledger::open", "LedgerReader::open", "Operator::open"] {
            assert!(!text.contains(word), "{}: `{word}` is a store's own", file.display());
        }
    }
}

#[test]
fn this_test_sees_code_and_neither_comments_nor_tests() {
    let text = "//! SELECT\nuse crate::{clock::Clock, ids};\n#[cfg(test)]\nmod tests {\n    use crate::ledger;\n}\nfn f() { crate::zone::Zone::utc() }\n#[cfg(test)]\nuse crate::support::vendor;\n#[cfg(test)]\n#[path = \"x.rs\"]\n#[cfg(\n    unix,\n)]\nmod more;\nuse crate::phone;\n";
    let source = Source { path: "policy/mod.rs".into(), code: code(text) };
    assert_eq!(uses(&source), BTreeSet::from(["clock", "ids", "phone", "zone"]));
    assert!(!source.code.contains("SELECT"));
    assert!(
        is_test("vendor/annie/wire/responses_tests.rs")
            && is_test("intake/tests/rows.rs")
            && !is_test("simulator/call_log.rs")
    );
}
