import Testing

@testable import Migrations

struct StatementSplitterTests {
    @Test(
        arguments: [
            ("select 1; select 2", ["select 1", "select 2"]),
            ("select 1;;\n;select 2;\n", ["select 1", "select 2"]),
            ("", []), ("  -- nothing;\n /* nor; this */ ;", []),
            ("select ';', 'it''s; so'; select 2", ["select ';', 'it''s; so'", "select 2"]),
            (#"select '\'; select 2"#, [#"select '\'"#, "select 2"]),
            (#"select E'\';\\'; select e'a'';'; select 3"#, [#"select E'\';\\'"#, "select e'a'';'", "select 3"]),
            (#"select 1e'; '; x"#, [#"select 1e'; '"#, "x"]),
            (#"select "a;""b" from t; select 2"#, [#"select "a;""b" from t"#, "select 2"]),
            ("select $$a;b$$; select 2", ["select $$a;b$$", "select 2"]),
            ("select $t$a;$$;$x$;$t$; select 2", ["select $t$a;$$;$x$;$t$", "select 2"]),
            ("select a$b$c; select $1; select 3", ["select a$b$c", "select $1", "select 3"]),
            ("select 1 -- one; two\n + 2; select 3", ["select 1 -- one; two\n + 2", "select 3"]),
            ("select 1 /* ; /* ; */ ; */ + 2; x", ["select 1 /* ; /* ; */ ; */ + 2", "x"]),
            (
                "create rule r as on insert to t do (select 1; select 2); x",
                ["create rule r as on insert to t do (select 1; select 2)", "x"]
            ),
            ("select 'ä;ö' as \"ü;\"; select 2", ["select 'ä;ö' as \"ü;\"", "select 2"]),
            (
                "create or replace function f() returns a begin atomic select case when a then 1 end; table b; end; x",
                [
                    "create or replace function f() returns a begin atomic select case when a then 1 end; table b; end",
                    "x",
                ]
            ),
            ("select case when true then 1 end; x", ["select case when true then 1 end", "x"]),
            (
                "create function f() returns int language sql return 1; x",
                ["create function f() returns int language sql return 1", "x"]
            ),
        ] as [(String, [String])]
    )
    func `a script is divided where its statements end`(_ script: String, _ statements: [String]) throws {
        #expect(try StatementSplitter.split(script, firstLine: 1).map(\.text) == statements)
    }

    @Test func `a statement knows the line where it starts`() throws {
        let script = "-- a\n\nselect 1;\n/* b\nc */ select '\n\n';\n  select $$\n$$; select 4"
        #expect(try StatementSplitter.split(script, firstLine: 10).map(\.line) == [12, 14, 17, 18])
    }

    @Test(
        arguments: [
            ("select 1;\n 'open", "string"), ("\nselect \"open;", "quoted name"), ("\n/* /* */ open", "comment"),
            ("\nselect $a$ $b$", "dollar-quoted string"), ("\nselect E'a\\'", "string"),
        ])
    func `what has no end is found`(_ script: String, _ what: String) {
        #expect(throws: StatementSplitter.Unterminated(line: 2, what: what)) {
            try StatementSplitter.split(script, firstLine: 1)
        }
    }

    @Test(
        arguments: [
            ("create index concurrently i on app.t (a)", "app.i"),
            ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY app.t (a)", "app.i"),
            ("create index i on app.t (a)", nil), ("drop index concurrently app.i", nil), ("vacuum app.t", nil),
        ])
    func `an index that is built concurrently is recognised`(_ text: String, _ index: String?) throws {
        let found = try StatementSplitter.split(text, firstLine: 1)[0].indexBuiltConcurrently
        #expect(found.map { "\($0.schema).\($0.name)" } == index)
    }
}
