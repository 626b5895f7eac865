//! What usage is broken down by, as a link.

use backend::usage;
use domain::usage::breakdown::Facet;
use domain::usage::query::Query;
use leptos::prelude::*;

use crate::chart::value::facet_name;
use crate::frame::table;

/// A size, key or image as a link to where it is looked at; plain where there is no such page.
pub fn facet_link(query: &Query, facet: &Facet) -> AnyView {
    let name = facet_name(facet);
    let href = match facet {
        Facet::Sandbox(id) => Some(format!("/sandboxes/{id}")),
        _ => usage::narrowed(&query.only, facet).map(|only| {
            let query = Query {
                only,
                ..query.clone()
            };
            query.address("/usage")
        }),
    };
    match href {
        Some(href) => table::clip_link(href, name),
        None => table::clip(name),
    }
}
