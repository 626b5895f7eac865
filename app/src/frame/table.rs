//! Rows to compare, the same on every page: text gives way, figures never do. The first cell has a name and below it the quiet
//! detail; what is cut has all of it in its title. Where it is narrow, rows become cards with the figure first
//! (docs/decisions/0022-figures-in-tables.md).

use leptos::prelude::*;

/// The head of a column, and how its cells behave.
pub struct Head {
    name: String,
    kind: Kind,
    href: Option<String>,
    is_silent: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Text,
    Plain,
    Figure,
    Series,
    Main,
}

impl Head {
    fn of(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            href: None,
            is_silent: false,
        }
    }

    /// What a row is called; cut where it is long.
    pub fn name(name: impl Into<String>) -> Self {
        Self::of(name, Kind::Name)
    }

    /// Text of any length; cut where it is long.
    pub fn text(name: impl Into<String>) -> Self {
        Self::of(name, Kind::Text)
    }

    /// A word or a moment, which is short.
    pub fn plain(name: impl Into<String>) -> Self {
        Self::of(name, Kind::Plain)
    }

    /// Numbers; never cut.
    pub fn figure(name: impl Into<String>) -> Self {
        Self::of(name, Kind::Figure)
    }

    /// Numbers below a name of any length, which gives way to them and may lead somewhere.
    pub fn series(name: impl Into<String>, href: Option<String>) -> Self {
        Self {
            href,
            ..Self::of(name, Kind::Series)
        }
    }

    /// The number that the table is about; the first thing on a card.
    pub fn main(name: impl Into<String>) -> Self {
        Self::of(name, Kind::Main)
    }

    /// Only read aloud: what the cells hold speaks for itself.
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }
}

/// Rows that belong together, below a name of their own where they have one.
pub struct Group {
    head: Option<AnyView>,
    rows: AnyView,
}

/// Rows without a name above them.
pub fn plain_group(rows: impl IntoView) -> Vec<Group> {
    vec![unnamed(rows)]
}

/// Rows among named ones that name themselves.
pub fn unnamed(rows: impl IntoView) -> Group {
    Group {
        head: None,
        rows: rows.into_any(),
    }
}

/// Rows below a name, such as their day.
pub fn group(head: impl IntoView, rows: impl IntoView) -> Group {
    Group {
        head: Some(head.into_any()),
        rows: rows.into_any(),
    }
}

/// Rows in the order they have, a group for each stretch of one day.
pub fn by_day<Row>(
    rows: &[Row],
    day: impl Fn(&Row) -> time::Date,
    draw: impl Fn(&Row) -> AnyView,
) -> Vec<Group> {
    rows.chunk_by(|one, next| day(one) == day(next))
        .filter_map(|rows| {
            let name = super::format::date(day(rows.first()?));
            Some(group(name, rows.iter().map(&draw).collect_view()))
        })
        .collect()
}

/// A table in a region of its own. `mark` names it for tests and tools, `label` for those who do not see it.
pub fn table(
    mark: &'static str,
    label: impl Into<String>,
    heads: Vec<Head>,
    groups: Vec<Group>,
    foot: Option<AnyView>,
) -> AnyView {
    let label = label.into();
    let width = heads.len().to_string();
    // Three short columns fit everywhere; more, or three of which one is a name of any length, become cards.
    let is_long = heads.first().is_some_and(|head| head.kind == Kind::Name);
    let class = if heads.len() > 3 || (heads.len() == 3 && is_long) {
        "table table--cards"
    } else {
        "table"
    };
    let heads = heads.into_iter().map(head).collect_view();
    let groups = groups.into_iter().map(|group| {
        let head = group.head.map(|name| {
            view! { <tr class="table__group"><th scope="rowgroup" colspan=width.clone()>{name}</th></tr> }
        });
        view! { <tbody>{head}{group.rows}</tbody> }
    });
    let foot = foot.map(|row| view! { <tfoot>{row}</tfoot> });
    let caption = label.clone();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label=label>
            <table class=class data-table=mark>
                <caption class="sr-only">{caption}</caption>
                <thead><tr>{heads}</tr></thead>
                {groups.collect_view()}
                {foot}
            </table>
        </div>
    }
    .into_any()
}

fn head(head: Head) -> AnyView {
    let class = match head.kind {
        Kind::Name => "table__name",
        Kind::Text => "table__text",
        Kind::Plain => "",
        Kind::Figure | Kind::Main => "table__number",
        Kind::Series => "table__number table__series",
    };
    let inside = match (head.is_silent, head.kind, head.href) {
        (true, ..) => view! { <span class="sr-only">{head.name}</span> }.into_any(),
        (false, _, Some(href)) => clip_link(href, head.name),
        (false, Kind::Name | Kind::Text | Kind::Series, None) => clip(head.name),
        (false, ..) => head.name.into_any(),
    };
    view! { <th scope="col" class=class>{inside}</th> }.into_any()
}

/// The cell that names its row; `detail` stands quiet below.
pub fn name(first: impl IntoView, detail: Option<AnyView>) -> AnyView {
    let detail = detail.map(|detail| view! { <small class="table__detail">{detail}</small> });
    view! { <th scope="row" class="table__name">{first.into_any()}{detail}</th> }.into_any()
}

/// A cell of text that gives way. On a card `label` stands before it.
pub fn text(label: &'static str, inside: impl IntoView) -> AnyView {
    view! { <td class="table__text" data-label=label>{inside.into_any()}</td> }.into_any()
}

/// A cell that is short. On a card `label` stands before it, unless it is empty.
pub fn plain(label: &'static str, inside: impl IntoView) -> AnyView {
    let label = (!label.is_empty()).then_some(label);
    view! { <td data-label=label>{inside.into_any()}</td> }.into_any()
}

/// A number beside others.
pub fn number(label: &'static str, inside: impl IntoView) -> AnyView {
    view! { <td class="table__number" data-label=label>{inside.into_any()}</td> }.into_any()
}

/// The number that the row is about.
pub fn main(inside: impl IntoView) -> AnyView {
    view! { <td class="table__number table__main">{inside.into_any()}</td> }.into_any()
}

/// A cell with a sentence or more, which takes more lines.
pub fn prose(label: &'static str, inside: impl IntoView) -> AnyView {
    let label = (!label.is_empty()).then_some(label);
    view! { <td class="table__prose" data-label=label>{inside.into_any()}</td> }.into_any()
}

/// Text that gives way to what stands beside it; all of it in the title.
pub fn clip(text: impl Into<String>) -> AnyView {
    let text = text.into();
    let title = text.clone();
    view! { <span class="clip" title=title>{text}</span> }.into_any()
}

/// The same as a link.
pub fn clip_link(href: String, text: impl Into<String>) -> AnyView {
    let text = text.into();
    let title = text.clone();
    view! { <a class="clip" href=href title=title>{text}</a> }.into_any()
}

/// An id: one line, never translated.
pub fn id_link(href: String, id: impl Into<String>) -> AnyView {
    let id = id.into();
    let title = id.clone();
    view! { <a class="clip" href=href title=title><code translate="no">{id}</code></a> }.into_any()
}

/// The name of an image. What is cut is the registry and its folders, last of all the name and the tag.
pub fn image(name: &str) -> AnyView {
    let (folders, last) = name
        .rfind('/')
        .map_or(("", name), |slash| name.split_at(slash + 1));
    let folders = (!folders.is_empty())
        .then(|| view! { <span class="clip__folders">{folders.to_owned()}</span> });
    view! { <span class="clip clip--path" title=name.to_owned() translate="no">{folders}<span class="clip__last">{last.to_owned()}</span></span> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_day_is_named_once() {
        let days = [
            date!(2026 - 11 - 26),
            date!(2026 - 11 - 26),
            date!(2026 - 11 - 25),
        ];
        let groups = by_day(&days, |day| *day, |_| view! { <tr></tr> }.into_any());
        let html = table("t", "Rows", vec![Head::name("Day")], groups, None).to_html();
        assert_eq!(html.matches("Thu 26 Nov 2026").count(), 1, "{html}");
        assert_eq!(html.matches("<tbody").count(), 2, "{html}");
        assert!(html.contains(r#"colspan="1""#), "{html}");
    }

    #[test]
    fn what_is_cut_has_all_of_it_in_its_title() {
        let name = "ghcr.io/acme-robotics/evals/agent-runner:2026.11.2-debian";
        let html = image(name).to_html();
        assert!(html.contains(&format!("title=\"{name}\"")), "{html}");
        assert!(html.contains(">agent-runner:2026.11.2-debian<"), "{html}");
        assert!(!image("rust:1.95").to_html().contains("folders"));
    }
}
