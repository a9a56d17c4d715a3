// The pictures of the views as they come, and which of them is on the screen.
(function () {
  const TOPIC = "trame.rca.topic.stream";
  const session = (trame) => trame.client.getConnection().getSession();

  const component = {
    props: ["name"],
    inject: ["trame"],
    template: '<img class="vs-picture" draggable="false" />',
    created() {
      this.loader = new Image();
      this.loader.onload = this.loader.onerror = ({ type }) => {
        if (type === "load") this.show(this.loader.src, this.loading.meta.number);
        else URL.revokeObjectURL(this.loader.src);
        this.loading = null;
        if (this.waiting) this.load();
      };
    },
    mounted() {
      const hear = ([sent]) => sent.name === this.name && this.take(sent);
      this.subscription = session(this.trame).subscribe(TOPIC, hear);
    },
    beforeUnmount() {
      session(this.trame).unsubscribe(this.subscription);
    },
    methods: {
      // Of what comes in a rush the last one is shown, and none before the one that is.
      take(sent) {
        this.waiting = sent;
        if (!this.loading) this.load();
      },
      load() {
        [this.loading, this.waiting] = [this.waiting, null];
        const { meta, content } = this.loading;
        this.loader.src = URL.createObjectURL(new Blob([content], { type: meta.type }));
      },
      // Loaded before, so that it is there at once, and with it the number by which the server knows it.
      show(source, number) {
        URL.revokeObjectURL(this.$el.src);
        this.$el.src = source;
        this.$el.dataset.number = number ?? "";
        this.$el.dispatchEvent(new Event("vs-shown", { bubbles: true }));
      },
    },
  };

  window.vsclickPictures = {
    install: (app) => app.component("vs-picture", component),
    // Of what a view shows on the screen, 0 before it shows anything.
    numberIn: (view) => Number(view.querySelector(".vs-picture")?.dataset.number ?? 0),
  };
})();
