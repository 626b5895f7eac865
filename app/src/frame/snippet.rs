//! Text to run elsewhere: the first sandbox by SDK and by curl, naming the address this dashboard was configured with.

use backend::Backend;
use leptos::prelude::*;

use super::copy;

/// What stands for a key where none may be shown. Plain signs: a header of HTTP holds no others, and the answer to what
/// is not replaced should be that the key is wrong.
pub const NO_KEY: &str = "sk_live_us_PASTE_YOUR_KEY";

/// A box of code with its language and a copy button. `label` names it for those who do not see it.
pub fn code(title: &'static str, label: &'static str, text: String) -> AnyView {
    let copied = copy::button(text.clone(), label);
    view! {
        <div class="snippet">
            <div class="snippet__head">
                <span>{title}</span>
                {copied}
            </div>
            <pre class="snippet__code" tabindex="0" role="region" aria-label=label><code>{text}</code></pre>
        </div>
    }
    .into_any()
}

/// The first sandbox in two ways, one tab each. Radio buttons choose, so it needs no script.
pub fn first_sandbox(backend: &Backend, key: &str) -> AnyView {
    let url = backend
        .settings()
        .sandbox_api_url
        .as_str()
        .trim_end_matches('/');
    view! {
        <div class="tabs">
            <div class="tabs__list" role="radiogroup" aria-label="Way to start a sandbox">
                <label class="tabs__tab"><input type="radio" name="way" value="typescript" checked/>"TypeScript"</label>
                <label class="tabs__tab"><input type="radio" name="way" value="curl"/>"curl"</label>
            </div>
            <div class="tabs__panel" data-tab="typescript">{code("Shell, Node.js 22.19 or newer", "TypeScript snippet", typescript(url, key))}</div>
            <div class="tabs__panel" data-tab="curl">{code("Shell", "curl snippet", curl(url, key))}</div>
        </div>
    }
    .into_any()
}

/// Installs the SDK, starts a sandbox, lets it run five seconds and destroys it.
fn typescript(url: &str, key: &str) -> String {
    // Over plain http there is no HTTP/3, and its optional package would wait ten seconds before it falls back.
    let omit = if url.starts_with("http:") {
        " --omit=optional"
    } else {
        ""
    };
    format!(
        "npm install isorun{omit}\n\
         export ISORUN_API_URL={url}\n\
         export ISORUN_API_KEY={key}\n\
         cat > first.mjs <<'EOF'\n\
         import {{ Isorun }} from 'isorun'\n\
         \n\
         const isorun = new Isorun()\n\
         const sandbox = await isorun.create({{ image: 'node:22-slim' }})\n\
         console.log(sandbox.id, 'runs')\n\
         await new Promise((done) => setTimeout(done, 5000))\n\
         console.log(await sandbox.destroy())\n\
         isorun.close()\n\
         EOF\n\
         node first.mjs\n"
    )
}

fn curl(url: &str, key: &str) -> String {
    format!(
        "export ISORUN_API_KEY={key}\n\
         curl -X POST {url}/v1/runs \\\n  \
           -H \"Authorization: Bearer $ISORUN_API_KEY\" \\\n  \
           -H 'Content-Type: application/json' \\\n  \
           -d '{{\"image\":\"node:22-slim\"}}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_name_the_address_and_the_key() {
        for text in [
            typescript("http://127.0.0.1:3100", "KEY"),
            curl("http://127.0.0.1:3100", "KEY"),
        ] {
            assert!(
                text.contains("http://127.0.0.1:3100") && text.contains("ISORUN_API_KEY=KEY"),
                "{text}"
            );
        }
        assert!(typescript("http://127.0.0.1:3100", "KEY").contains("--omit=optional"));
        assert!(!typescript("https://run-us.isorun.ai", "KEY").contains("--omit"));
    }

    #[test]
    fn the_script_is_written_as_shell_reads_it() {
        let text = typescript("https://run-us.isorun.ai", "KEY");
        assert!(
            text.contains("\nimport { Isorun } from 'isorun'\n")
                && text.contains("\nEOF\nnode first.mjs\n"),
            "{text}"
        );
        assert!(
            curl("https://run-us.isorun.ai", "KEY").contains("/v1/runs \\\n  -H \"Authorization")
        );
    }
}
