namespace BeeFormer.Streaming.FakeQdrant;

/// <summary>All collections and aliases.</summary>
internal sealed class Store(TimeProvider time, Version version)
{
    public Generation Generation { get; } = new(version);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Collection> collections = [];
    private readonly SortedDictionary<string, string> aliases = new(StringComparer.Ordinal);

    public IReadOnlyList<Collection> All { get { lock (gate) return [.. collections.Values.OrderBy(collection => collection.Name, StringComparer.Ordinal)]; } }

    public IReadOnlyList<AliasDescription> Aliases { get { lock (gate) return [.. aliases.Select(pair => new AliasDescription { AliasName = pair.Key, CollectionName = pair.Value })]; } }

    /// <summary>The collection of this name or alias, or null.</summary>
    public Collection? Find(string name) { lock (gate) return collections.GetValueOrDefault(aliases.GetValueOrDefault(name, name)); }

    /// <exception cref="Grpc.Core.RpcException">There is none.</exception>
    public Collection Get(string name) => Find(name) ?? throw Refusal.NoCollection(name);

    public void Create(string name, CollectionConfig config)
    {
        lock (gate)
        {
            if (collections.ContainsKey(name)) throw Refusal.Exists(name);
            if (aliases.ContainsKey(name)) throw Refusal.WrongInput($"Can't create collection with name {name}. Alias with the same name already exists");
            collections[name] = new Collection(name, config, time);
        }
    }

    /// <returns>False: there is none of this name; an alias does not count.</returns>
    public bool Drop(string name)
    {
        lock (gate)
        {
            if (!collections.Remove(name)) return false;
            foreach (var alias in aliases.Where(pair => pair.Value == name).Select(pair => pair.Key).ToList()) aliases.Remove(alias);
            return true;
        }
    }

    /// <summary>One action after the other; readers see all or nothing, but what came before a refused one stays.</summary>
    public void Change(IEnumerable<AliasOperations> actions)
    {
        lock (gate)
            foreach (var action in actions)
                switch (action.ActionCase)
                {
                    case AliasOperations.ActionOneofCase.CreateAlias:
                        if (!collections.ContainsKey(action.CreateAlias.CollectionName)) throw Refusal.NoCollection(action.CreateAlias.CollectionName);
                        if (collections.ContainsKey(action.CreateAlias.AliasName)) throw Refusal.Exists(action.CreateAlias.AliasName);
                        aliases[action.CreateAlias.AliasName] = action.CreateAlias.CollectionName;
                        break;
                    case AliasOperations.ActionOneofCase.RenameAlias:
                        if (!aliases.Remove(action.RenameAlias.OldAliasName, out var target)) throw Refusal.NotFound($"Alias {action.RenameAlias.OldAliasName} does not exists!");
                        aliases[action.RenameAlias.NewAliasName] = target;
                        break;
                    default:
                        aliases.Remove(action.DeleteAlias.AliasName);
                        break;
                }
    }
}
