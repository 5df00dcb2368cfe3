import Composition

await RootCommand.main()
