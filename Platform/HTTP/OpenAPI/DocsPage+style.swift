extension DocsPage {
    static let style = """
        :root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2456c9; }
        @media (prefers-color-scheme: dark) { :root { --accent: #8fb2ff; } }
        * { box-sizing: border-box; }
        body { margin: 0; font: 15px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 17rem 1fr; }
        nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; border-right: 1px solid
            var(--line); }
        nav h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; margin: 1rem 0 .25rem; opacity:
            .7; }
        nav a { display: block; padding: .1rem 0; color: inherit; text-decoration: none; font-size: .85rem; }
        nav a:hover { color: var(--accent); }
        main { padding: 1.5rem 2rem 6rem; max-width: 62rem; min-width: 0; }
        h1 { margin: 0 0 .25rem; }
        section.tag > h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--line); padding-bottom: .25rem; }
        article { margin: 1.5rem 0 2.5rem; }
        article h3 { margin: 0; font-size: 1.05rem; }
        h4 { margin: 1rem 0 .25rem; font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; opacity: .7; }
        .path { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
        .method { display: inline-block; min-width: 4.2em; text-align: center; border-radius: .3em; padding: 0 .4em;
          font: 600 .8rem/1.6 ui-monospace, monospace; color: #fff; background: #556; }
        .get { background: #17713b; } .post { background: #2456c9; } .put, .patch { background: #8a5a00; }
        .delete { background: #b3261e; }
        .badge { font-size: .75rem; border: 1px solid var(--line); border-radius: 1em; padding: 0 .6em; margin-left:
            .5em; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; }
        th { text-align: left; font-weight: 600; }
        th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; vertical-align: top; }
        td:first-child { white-space: nowrap; font-family: ui-monospace, monospace; }
        .type { opacity: .75; font-size: .85rem; overflow-wrap: anywhere; }
        code, pre { font-family: ui-monospace, monospace; font-size: .85rem; background: var(--soft); border-radius:
            .3em; }
        code { padding: 0 .25em; overflow-wrap: anywhere; }
        pre { padding: .75rem; overflow-x: auto; margin: .25rem 0; }
        .required { color: #b3261e; font-size: .75rem; margin-left: .4em; }
        @media (prefers-color-scheme: dark) { .required { color: #ff8a80; } }
        @media (max-width: 50rem) { body { grid-template-columns: 1fr; } nav { position: static; height: auto; } }
        """
}
