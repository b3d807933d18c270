//! The words of a template and where they stand: as much of its grammar as it takes to point at a filter or a variable,
//! since the engine's own errors know lines only.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{` or `{%`, with `-` or `+` if they have one.
    Open,
    /// `}}` or `%}`.
    Close,
    /// A name or keyword.
    Word,
    /// A quoted text, with its quotes.
    Quoted,
    /// Any other character.
    Sign,
}

/// A piece of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    pub(super) at: usize,
}

impl Token<'_> {
    /// Where it stands in the source.
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// Everything inside tags; text between them, comments and raw blocks are left out.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find('{').map(|ahead| at + ahead) {
        let rest = &source[open..];
        at = if rest.starts_with("{#") {
            rest.find("#}").map_or(source.len(), |end| open + end + 2)
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            tag(source, open, &mut found)
        } else {
            open + 1
        };
        at = after_raw(source, at, &found);
    }
    found
}

/// Reads the tag that opens at `open`, and tells where it ends.
fn tag<'s>(source: &'s str, open: usize, found: &mut Vec<Token<'s>>) -> usize {
    let close = if source[open..].starts_with("{{") { "}}" } else { "%}" };
    let marked = source[open + 2..].starts_with(['-', '+']);
    let mut at = open + 2 + usize::from(marked);
    found.push(Token { kind: Kind::Open, text: &source[open..at], at: open });
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        if rest.starts_with(close) {
            found.push(Token { kind: Kind::Close, text: close, at });
            return at + close.len();
        }
        let (kind, length) = piece(rest, next);
        if !next.is_whitespace() {
            found.push(Token { kind, text: &rest[..length], at });
        }
        at += length;
    }
    at
}

/// The kind and the length of what `rest` starts with.
fn piece(rest: &str, next: char) -> (Kind, usize) {
    match next {
        '\'' | '"' => (Kind::Quoted, quoted(rest, next)),
        c if c.is_alphanumeric() || c == '_' => {
            (Kind::Word, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
        }
        c => (Kind::Sign, c.len_utf8()),
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Skips to the end of a raw block, if one has just been opened.
fn after_raw(source: &str, at: usize, found: &[Token<'_>]) -> usize {
    let ended = found.last().is_some_and(|close| close.kind == Kind::Close && close.span().end == at);
    let opened = found.iter().rposition(|token| token.kind == Kind::Open);
    let word = opened.and_then(|open| found.get(open + 1));
    if !(ended && word.is_some_and(|word| word.is_word("raw"))) {
        return at;
    }
    source[at..].find("endraw").map_or(source.len(), |end| at + end)
}

/// The names of the filters used, with their first argument's token if it is a quoted text.
pub(super) fn filters<'t, 's>(tokens: &'t [Token<'s>]) -> Vec<(Token<'s>, Option<&'t Token<'s>>)> {
    let follows = |at: usize| {
        let before = |back: usize| at.checked_sub(back).map(|at| tokens[at]);
        before(1).is_some_and(|t| t.is_sign("|"))
            || before(1).is_some_and(|t| t.is_word("filter")) && before(2).is_some_and(|t| t.kind == Kind::Open)
    };
    let words = tokens.iter().enumerate().filter(|(at, token)| token.kind == Kind::Word && follows(*at));
    words
        .map(|(at, token)| {
            let argument = match &tokens[at + 1..] {
                [open, quoted, ..] if open.is_sign("(") && quoted.kind == Kind::Quoted => Some(quoted),
                _ => None,
            };
            (*token, argument)
        })
        .collect()
}

/// The names of the tests used: what follows `is` or `is not`.
pub(super) fn tests<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [is, not, test] if is.is_word("is") && not.is_word("not") => Some(*test),
            [is, test, _] if is.is_word("is") && !test.is_word("not") => Some(*test),
            _ => None,
        })
        .filter(|token| token.kind == Kind::Word)
        .collect()
}

/// The names that are called like functions or methods, but for the template's own macros and what belongs to loops.
pub(super) fn calls<'s>(tokens: &[Token<'s>]) -> Vec<Token<'s>> {
    let macros: Vec<_> = tokens.windows(2).filter(|pair| pair[0].is_word("macro")).map(|pair| pair[1].text).collect();
    let callable = |name: &str| KEYWORDS.contains(&name) || macros.contains(&name) || name == "caller";
    let is_filter_or_test = |at: usize| {
        at > 0 && (tokens[at - 1].is_sign("|") || ["is", "not", "filter"].iter().any(|w| tokens[at - 1].is_word(w)))
    };
    let of_loop = |at: usize| at > 1 && tokens[at - 1].is_sign(".") && tokens[at - 2].is_word("loop");
    (1..tokens.len())
        .filter(|next| tokens[*next].is_sign("("))
        .map(|next| next - 1)
        .filter(|at| tokens[*at].kind == Kind::Word && !callable(tokens[*at].text))
        .filter(|at| !is_filter_or_test(*at) && !of_loop(*at))
        .map(|at| tokens[at])
        .collect()
}

/// A variable as it is written, with its parts (`practice.name`), and where it stands.
pub(super) fn variables(tokens: &[Token<'_>]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if starts_variable(tokens, at) {
            found.push(path(&tokens[at..]));
        }
    }
    found
}

/// The variables that are neither given a default nor tested: those whose absence is an error.
pub(super) fn bare_variables(tokens: &[Token<'_>]) -> Vec<(String, Range<usize>)> {
    let is_guarded = |end: usize| {
        let mut after = tokens.iter().skip_while(|token| token.at < end);
        match (after.next(), after.next()) {
            (Some(pipe), Some(word)) if pipe.is_sign("|") => word.is_word("default") || word.is_word("d"),
            (Some(is), Some(_)) => is.is_word("is"),
            _ => false,
        }
    };
    variables(tokens).into_iter().filter(|(_, span)| !is_guarded(span.end)).collect()
}

fn starts_variable(tokens: &[Token<'_>], at: usize) -> bool {
    let token = tokens[at];
    let is_name = token.kind == Kind::Word
        && !KEYWORDS.contains(&token.text)
        && !token.text.starts_with(|c: char| c.is_ascii_digit());
    let before = at.checked_sub(1).map(|before| tokens[before]);
    let belongs = before.is_some_and(|t| t.is_sign(".") || t.is_sign("|") || t.is_word("is") || t.is_word("filter"));
    is_name && !belongs
}

fn path(tokens: &[Token<'_>]) -> (String, Range<usize>) {
    let mut name = tokens[0].text.to_owned();
    let mut end = tokens[0].span().end;
    for pair in tokens[1..].chunks_exact(2) {
        match pair {
            [dot, part] if dot.is_sign(".") && part.kind == Kind::Word => {
                name = format!("{name}.{}", part.text);
                end = part.span().end;
            }
            _ => break,
        }
    }
    (name, tokens[0].at..end)
}

const KEYWORDS: &[&str] = &[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "in",
    "not",
    "and",
    "or",
    "is",
    "set",
    "endset",
    "with",
    "endwith",
    "filter",
    "endfilter",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "raw",
    "endraw",
    "true",
    "True",
    "false",
    "False",
    "none",
    "None",
    "loop",
    "autoescape",
    "endautoescape",
    "recursive",
    "do",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'s>(found: &[Token<'s>]) -> Vec<&'s str> {
        found.iter().map(|token| token.text).collect()
    }

    #[test]
    fn filters_are_found_wherever_they_may_stand() {
        let source = "{{ a|upper }} | no {% if b | date('%B') %}{% filter shorten(3) %}{{ 'x | not' }}{% endfilter %}\
                      {# c | no #}{% raw %}{{ d | no }}{% endraw %}{{- e | title -}}";
        let tokens = tokens(source);
        let found: Vec<_> = filters(&tokens).into_iter().map(|(t, q)| (t.text, q.map(|q| q.text))).collect();
        assert_eq!(found, [("upper", None), ("date", Some("'%B'")), ("shorten", None), ("title", None)]);
    }

    #[test]
    fn tests_and_calls_are_found() {
        let tokens = tokens(
            "{% if a is defined and b is not divisibleby(3) %}{{ now() }}{{ a.upper() }}{{ (a | f(1)) }}{% endif %}",
        );
        assert_eq!(texts(&tests(&tokens)), ["defined", "divisibleby"]);
        assert_eq!(texts(&calls(&tokens)), ["now", "upper"]);
    }

    #[test]
    fn variables_are_found_with_their_parts() {
        let source = "{{ a.b.c | default(d) }} {% for m in loop.index %}{{ é }}{% endfor %}";
        let found: Vec<_> = variables(&tokens(source)).into_iter().map(|(name, at)| (name, &source[at])).collect();
        let expected = [("a.b.c", "a.b.c"), ("d", "d"), ("m", "m"), ("é", "é")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text)));
    }

    #[test]
    fn a_tag_that_never_ends_is_read_to_the_end() {
        for source in ["{{ a", "{% if 'b", "{#", "{{ a | ", "{{ é\\", "{% raw %}{{"] {
            tokens(source);
        }
        assert_eq!(texts(&tokens("{ {{ a")), ["{{", "a"]);
    }
}
