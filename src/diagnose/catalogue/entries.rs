//! The entries themselves.

use super::Entry;

const IMAGES: &str = "https://kubernetes.io/docs/concepts/containers/images/";
const PULL_SECRETS: &str =
    "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/";
const DEBUG_PODS: &str = "https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/";
const SERVICES_OF_OCI: &str =
    "https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengcreatingloadbalancer.htm";
const LIMITS_OF_OCI: &str =
    "https://docs.oracle.com/en-us/iaas/Content/General/Concepts/servicelimits.htm";

const DESCRIBE_POD: &str = "kubectl --context CONTEXT -n monitoring describe pod POD";

/// Makes the ids and their entries of one list, so that neither lacks the other.
macro_rules! catalogue {
    ($($id:ident { $($field:ident: $said:expr,)* })*) => {
        /// What is wrong, by a name that never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Id {
            $($id,)*
        }

        /// In the order of a pod's life, then what stands around pods; [`Id`] has the same.
        pub static CATALOGUE: &[Entry] = &[$(Entry { id: Id::$id, $($field: $said,)* },)*];
    };
}

catalogue! {
    Starting {
        name: "OKM-STARTING",
        title: "it is still starting",
        meaning: "Nothing is wrong so far: a controller has not come to it, images are being pulled, a program loads its data.",
        see: &["kubectl --context CONTEXT -n monitoring get pods"],
        remedy: "Wait. An install does, until `--timeout`, which is twenty minutes by itself; it ends sooner when nothing has changed for five.",
        more: &["https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"],
    }
    ImageMissing {
        name: "OKM-IMAGE-MISSING",
        title: "the registry has no such image",
        meaning: "The registry answered, and has no image of this name and tag, or none for the processors of the node (`no match for platform`). It will not come by itself, so a wait for it ends at once.",
        see: &[DESCRIBE_POD, "okemon images"],
        remedy: "Push the image to the registry that `imageRegistry` names, under the name that `okemon images` prints, for every kind of processor that the nodes have; or name another one with `imageRegistry` or in `values`.",
        more: &[IMAGES],
    }
    ImageDenied {
        name: "OKM-IMAGE-DENIED",
        title: "the registry does not let the nodes pull",
        meaning: "The registry wants a login that the pod does not have, or does not allow it this image. Some registries say so of an image that does not exist, too.",
        see: &[DESCRIBE_POD, "kubectl --context CONTEXT -n monitoring get secrets"],
        remedy: "Make a Secret of type kubernetes.io/dockerconfigjson in the namespace, and name it in `imagePullSecrets`. If there is one, its user may not pull from this repository, or its token is too old.",
        more: &[PULL_SECRETS],
    }
    ImageThrottled {
        name: "OKM-IMAGE-THROTTLED",
        title: "images are pulled faster than is allowed",
        meaning: "All nodes together have pulled more than a registry gives to one address in a while, or one node more at once than it lets itself. The kubelet tries again, and an install does not give up on it before `--timeout`.",
        see: &[DESCRIBE_POD],
        remedy: "Wait, or pull from a mirror of your own: `imageRegistry`. A login with `imagePullSecrets` often has a higher limit.",
        more: &[PULL_SECRETS],
    }
    ImagePull {
        name: "OKM-IMAGE-PULL",
        title: "the image could not be pulled",
        meaning: "Mostly the node did not reach the registry: no route out of the subnet, a name that is not resolved, a proxy, a certificate that it does not know. Or it has no room for the image.",
        see: &[DESCRIBE_POD],
        remedy: "The last words of the message say which. Private subnets need a NAT or a service gateway to reach a registry; or mirror the images to one that they reach: `imageRegistry`.",
        more: &[IMAGES],
    }
    ImageName {
        name: "OKM-IMAGE-NAME",
        title: "the name of the image cannot be read",
        meaning: "What stands for the image in the pod is no name of an image: a capital letter, a blank, two tags.",
        see: &[DESCRIBE_POD],
        remedy: "Mend it in `values` or in `imageRegistry`.",
        more: &[IMAGES],
    }
    ConfigMissing {
        name: "OKM-CONFIG-MISSING",
        title: "a Secret or ConfigMap, or a key of it, is not there",
        meaning: "The container takes something from a Secret or ConfigMap that does not exist or has no such key, so it cannot be made. okemon's own are thanos-objstore-config, which Thanos and the sidecars read, and okemon-grafana-admin.",
        see: &[
            DESCRIBE_POD,
            "kubectl --context CONTEXT -n monitoring describe secret thanos-objstore-config",
        ],
        remedy: "Run `okemon install` again: it puts back what is okemon's own. What your own `values` name, make yourself. The pod starts as soon as it is there.",
        more: &["https://kubernetes.io/docs/concepts/configuration/secret/"],
    }
    ContainerRefused {
        name: "OKM-CONTAINER-REFUSED",
        title: "the node cannot make the container",
        meaning: "What is asked for is not what the node can do: a command that is not in the image, root where that is forbidden, a mount that does not fit.",
        see: &[DESCRIBE_POD],
        remedy: "The message names what does not fit. It comes from `values` of your own, or from an image that is not the chart's.",
        more: &[DEBUG_PODS],
    }
    OutOfMemory {
        name: "OKM-OUT-OF-MEMORY",
        title: "the container needs more memory than it may have",
        meaning: "It was killed when it reached its limit, and will be again. Prometheus grows with the number of series, the store gateway with the blocks, Query with what is asked of it.",
        see: &[
            DESCRIBE_POD,
            "kubectl --context CONTEXT -n monitoring logs POD -c CONTAINER --previous",
        ],
        remedy: "Take a larger `size`, or give that one part more in `values`.",
        more: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
    }
    Crash {
        name: "OKM-CRASH",
        title: "the program ends again and again",
        meaning: "The container starts, and its program ends. The longer that goes on, the longer the kubelet waits before it tries again: five minutes in the end.",
        see: &["kubectl --context CONTEXT -n monitoring logs POD -c CONTAINER --previous"],
        remedy: "Its last words say why: a flag that this version does not know, a bucket that cannot be reached, a key that is refused, a disk that is full. Where it ended with 137 or 143, the kubelet ended it, mostly since its liveness probe fails. Mend that, and delete the pod to have it tried at once.",
        more: &[
            "https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",
            "https://thanos.io/tip/thanos/storage.md/",
        ],
    }
    Probe {
        name: "OKM-PROBE",
        title: "the program runs and does not say that it is ready",
        meaning: "Its startup, readiness or liveness probe fails. A store gateway is ready once it has seen the bucket, a Prometheus once it has read its log, Grafana once its database is there.",
        see: &[DESCRIBE_POD, "kubectl --context CONTEXT -n monitoring logs POD --all-containers"],
        remedy: "Its log says what it is waiting for.",
        more: &[
            "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
        ],
    }
    Unschedulable {
        name: "OKM-UNSCHEDULABLE",
        title: "no node takes the pod",
        meaning: "Every node lacks something: processors or memory that are not promised to others, a free port, a volume in its own availability domain; or it is cordoned, or not in order. The message counts the nodes by what they lack.",
        see: &["kubectl --context CONTEXT describe nodes", DESCRIBE_POD],
        remedy: "Add nodes, or larger ones; take a smaller `size`; `kubectl uncordon NODE`, where somebody has cordoned it. A volume cannot leave its availability domain, so its pod needs a node there.",
        more: &["https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/"],
    }
    Misplaced {
        name: "OKM-MISPLACED",
        title: "labels and taints keep the pod off every node",
        meaning: "The pods ask for nodes with certain labels that no node has, or every node that has them has a taint that the pods do not tolerate.",
        see: &[
            "kubectl --context CONTEXT get nodes --show-labels",
            "kubectl --context CONTEXT describe nodes",
        ],
        remedy: "Write `placement.nodeSelector` and `placement.tolerations` as the nodes have it, or label the nodes.",
        more: &["https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"],
    }
    ScalingUp {
        name: "OKM-SCALING-UP",
        title: "new nodes are on their way",
        meaning: "No node has room, and the cluster autoscaler makes more. On OKE that takes some minutes; an install does not give up on it before `--timeout`.",
        see: &["kubectl --context CONTEXT get nodes --watch"],
        remedy: "Wait. If none come, the node pool has reached its limit, or the tenancy has.",
        more: &[
            "https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengusingclusterautoscaler.htm",
            LIMITS_OF_OCI,
        ],
    }
    VolumePending {
        name: "OKM-VOLUME-PENDING",
        title: "there is no volume for a claim",
        meaning: "The cluster has no default storage class, the cloud refuses the volume, or the volume that there was is gone. OCI makes block volumes of 50 GiB and more, and counts them against a limit.",
        see: &[
            "kubectl --context CONTEXT -n monitoring describe persistentvolumeclaim CLAIM",
            "kubectl --context CONTEXT get storageclasses",
        ],
        remedy: "Make a class of the cluster the default one, or name one in `values`; or have the limit raised. A claim that is `Lost` has lost its PersistentVolume: look for its block volume in OCI before you delete the claim.",
        more: &[
            "https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengcreatingpersistentvolumeclaim.htm",
            LIMITS_OF_OCI,
        ],
    }
    Mount {
        name: "OKM-MOUNT",
        title: "the node cannot bring the pod its files",
        meaning: "A Secret or ConfigMap that is mounted is not there, or a volume is still attached to another node.",
        see: &[DESCRIBE_POD],
        remedy: "The event says which. What is okemon's own, `okemon install` puts back. A volume is let go once the node that had it is gone, which takes some minutes.",
        more: &["https://kubernetes.io/docs/concepts/storage/persistent-volumes/"],
    }
    PodSandbox {
        name: "OKM-POD-SANDBOX",
        title: "the node cannot make room and network for the pod",
        meaning: "Mostly the pod gets no address: its subnet is full, or the plugin that gives addresses does not run on the node.",
        see: &[DESCRIBE_POD, "kubectl --context CONTEXT -n kube-system get pods -o wide"],
        remedy: "A subnet that is full needs other pods gone, or a larger one. A plugin that does not run says why in its own log.",
        more: &[DEBUG_PODS],
    }
    PodsRefused {
        name: "OKM-PODS-REFUSED",
        title: "the API server takes no pods, or not their claims",
        meaning: "A quota of the namespace is used up, an admission webhook or a pod security standard does not let the pods through, or their service account is missing.",
        see: &[
            "kubectl --context CONTEXT -n monitoring describe resourcequotas",
            "kubectl --context CONTEXT -n monitoring get events --field-selector reason=FailedCreate",
        ],
        remedy: "The message says who refused. Raise the quota, take a smaller `size`, or have the namespace excepted: node-exporter needs the host's network, processes and files, which only the level `privileged` allows.",
        more: &[
            "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        ],
    }
    RolloutStuck {
        name: "OKM-ROLLOUT-STUCK",
        title: "a Deployment has made no progress for ten minutes",
        meaning: "Its controller gave up hoping, though it goes on trying. None of its pods says what is wrong.",
        see: &["kubectl --context CONTEXT -n monitoring describe deployment DEPLOYMENT"],
        remedy: "Its events, and those of its pods, say more.",
        more: &[
            "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment",
        ],
    }
    JobFailed {
        name: "OKM-JOB-FAILED",
        title: "a Job has failed for good",
        meaning: "It was tried as often as it may be.",
        see: &["kubectl --context CONTEXT -n monitoring logs job/JOB"],
        remedy: "Mend what its log complains of, and delete the Job: the next install makes it anew.",
        more: &["https://kubernetes.io/docs/concepts/workloads/controllers/job/"],
    }
    ReleaseEmpty {
        name: "OKM-RELEASE-EMPTY",
        title: "a release has no workload",
        meaning: "None of the workloads of the release is there: somebody has deleted them.",
        see: &[
            "helm --kube-context CONTEXT -n monitoring status RELEASE",
            "kubectl --context CONTEXT -n monitoring get all",
        ],
        remedy: "Run `okemon install` again: it finds what is missing, and brings it.",
        more: &[],
    }
    LoadBalancerPending {
        name: "OKM-LOAD-BALANCER-PENDING",
        title: "the load balancer has no address yet",
        meaning: "The cloud is making it, or has refused it for a reason that may pass: a policy that is missing, a subnet that it does not find.",
        see: &["kubectl --context CONTEXT -n monitoring describe service thanos-storeapi"],
        remedy: "Its events hold the cloud's own words. The cluster needs the policies that let it manage load balancers and use the subnet and the network security groups.",
        more: &[SERVICES_OF_OCI],
    }
    LoadBalancerRefused {
        name: "OKM-LOAD-BALANCER-REFUSED",
        title: "the cloud makes no such load balancer",
        meaning: "The tenancy has no more of them, or the subnet is none for them. Asking again does not help, so a wait for it ends at once.",
        see: &["kubectl --context CONTEXT -n monitoring describe service thanos-storeapi"],
        remedy: "Mend `loadBalancer` (type, subnet), delete load balancers that nobody needs, or have the limit raised.",
        more: &[SERVICES_OF_OCI, LIMITS_OF_OCI],
    }
    ServiceAbsent {
        name: "OKM-SERVICE-ABSENT",
        title: "a Service is not there",
        meaning: "The Service that publishes the StoreAPI has been deleted.",
        see: &["kubectl --context CONTEXT -n monitoring get services"],
        remedy: "Run `okemon install` again: it puts it back. Its load balancer may get another address.",
        more: &[],
    }
    OperatorPaused {
        name: "OKM-OPERATOR-PAUSED",
        title: "the operator was told to leave it alone",
        meaning: "Somebody has set `spec.paused` of a Prometheus or Alertmanager, so no change of it is carried out.",
        see: &["kubectl --context CONTEXT -n monitoring get prometheuses,alertmanagers -o yaml"],
        remedy: "Set it to false once whatever it was paused for is over.",
        more: &["https://prometheus-operator.dev/docs/api-reference/api/"],
    }
    OperatorRefuses {
        name: "OKM-OPERATOR-REFUSES",
        title: "the operator cannot carry it out",
        meaning: "A Prometheus or Alertmanager asks for what the operator cannot do: a Secret that is not there, a value that it does not take, a StatefulSet that the API server refuses.",
        see: &[
            "kubectl --context CONTEXT -n monitoring describe prometheuses,alertmanagers",
            "kubectl --context CONTEXT -n monitoring logs deployment/OPERATOR",
        ],
        remedy: "Its condition says what. What came from `values` of your own, mend there.",
        more: &["https://prometheus-operator.dev/docs/platform/troubleshooting/"],
    }
    ClusterUnseen {
        name: "OKM-CLUSTER-UNSEEN",
        title: "the API server does not answer",
        meaning: "What was installed goes on by itself; only nobody can see it. An OKE control plane can be away for a minute while it is updated.",
        see: &["kubectl --context CONTEXT get --raw /readyz"],
        remedy: "An install looks again until its time is over. If it stays away: is there a way from this machine to the endpoint, a VPN for instance?",
        more: &["https://kubernetes.io/docs/tasks/debug/debug-cluster/"],
    }
    ToolUnfit {
        name: "OKM-TOOL-UNFIT",
        title: "a program is missing, does not run here, or is too old",
        meaning: "okemon drives helm, kubectl and, where it is there, oci. One of them is not on `PATH`, was built for another kind of machine, or is older than what okemon asks of it; or it tells no version, as wrappers do.",
        see: &["command -v helm kubectl", "helm version", "kubectl version --client"],
        remedy: "Install it, or a newer one, and see that its directory comes first in `PATH`.",
        more: &[
            "https://helm.sh/docs/intro/install/",
            "https://kubernetes.io/docs/tasks/tools/",
        ],
    }
    RightsMissing {
        name: "OKM-RIGHTS-MISSING",
        title: "the cluster does not allow what an install does",
        meaning: "The API server knows who asks, and does not let them. What is not allowed is listed, a kind of object a line with the verbs.",
        see: &[
            "kubectl --context CONTEXT auth whoami",
            "kubectl --context CONTEXT -n monitoring auth can-i --list",
        ],
        remedy: "Install as an administrator of the cluster: in OKE, a member of a group that a policy lets `manage clusters`, or one with a binding to the ClusterRole cluster-admin.",
        more: &[
            "https://docs.oracle.com/en-us/iaas/Content/ContEng/Concepts/contengaboutaccesscontrol.htm",
            "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
        ],
    }
    StorageClassMissing {
        name: "OKM-STORAGE-CLASS-MISSING",
        title: "the cluster does not know the class of storage that volumes are made of",
        meaning: "Volumes are claimed from the class `oci-bv`, OCI's block volumes, which OKE clusters have from Kubernetes 1.24 on. Without it no claim gets a volume, and no pod that needs one starts.",
        see: &["kubectl --context CONTEXT get storageclasses"],
        remedy: "Is it an OKE cluster, and the one that was meant? If the class was deleted, make it again; or name another one in `values`.",
        more: &[
            "https://docs.oracle.com/en-us/iaas/Content/ContEng/Tasks/contengcreatingpersistentvolumeclaim.htm",
        ],
    }
    NodePortTaken {
        name: "OKM-NODE-PORT-TAKEN",
        title: "somebody else's pod has node exporter's port on a node",
        meaning: "Node exporter answers at port 9100 of the node itself. Where another pod has that port, the scheduler finds no place for ours. Mostly it is the node exporter of another monitoring.",
        see: &["kubectl --context CONTEXT get pods --all-namespaces -o wide"],
        remedy: "Take the other one away; or give ours another port, or leave it out, in a file of your own that `values` names.",
        more: &["https://github.com/prometheus/node_exporter"],
    }
    OperatorOther {
        name: "OKM-OPERATOR-OTHER",
        title: "another Prometheus operator takes care of the same namespace",
        meaning: "Each operator makes of a Prometheus resource the StatefulSet that it thinks right. Two of them undo each other's work without end, and pods are restarted each time.",
        see: &["kubectl --context CONTEXT get deployments --all-namespaces -o wide | grep prometheus-operator"],
        remedy: "Let the other one leave the namespace alone, by its argument `--deny-namespaces` or by `--namespaces` with its own; its chart has a value for that.",
        more: &["https://prometheus-operator.dev/docs/platform/operator/"],
    }
    PodSecurity {
        name: "OKM-POD-SECURITY",
        title: "the namespace does not take pods that see their node",
        meaning: "Its label `pod-security.kubernetes.io/enforce` asks for a level that node exporters cannot keep: they use the node's network and read its files. The API server would refuse their pods.",
        see: &["kubectl --context CONTEXT get namespace monitoring -o yaml"],
        remedy: "Set the label to `privileged`; or leave node exporters out, in a file of your own that `values` names.",
        more: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/"],
    }
    NoRoom {
        name: "OKM-NO-ROOM",
        title: "the nodes have not enough left for everything",
        meaning: "By what is requested of them, and with each replica of a part on a node of its own, some pods find no node. An autoscaler may make one; else they wait.",
        see: &["kubectl --context CONTEXT describe nodes"],
        remedy: "Nodes that may not be used are cordoned, have a taint, or lack a label of `placement.nodeSelector`. Else: more nodes or larger ones, a smaller `size`, or other nodes by `placement`. Requests are in docs/sizes.md.",
        more: &["https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"],
    }
    Locked {
        name: "OKM-LOCKED",
        title: "another okemon is at work on the cluster",
        meaning: "It holds the Lease `okemon` in the namespace, and renews it every twenty seconds. One that was killed loses it after a minute.",
        see: &["kubectl --context CONTEXT -n monitoring get lease okemon -o yaml"],
        remedy: "Wait for it to end. `okemon install --lock-timeout 10m` does.",
        more: &["https://kubernetes.io/docs/concepts/architecture/leases/"],
    }
    KeysMissing {
        name: "OKM-KEYS-MISSING",
        title: "nobody says with which keys the bucket is opened",
        meaning: "There are no keys in the environment, and the cluster has no Secret with them from an earlier install.",
        see: &["kubectl --context CONTEXT -n monitoring get secret thanos-objstore-config"],
        remedy: "Make a customer secret key, and set OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY, or their forms with _FILE that name files.",
        more: &["https://docs.oracle.com/en-us/iaas/Content/Identity/Tasks/managingcredentials.htm"],
    }
    BucketRefused {
        name: "OKM-BUCKET-REFUSED",
        title: "the bucket cannot be looked at, or the keys do not open it",
        meaning: "Object Storage did not answer, did not know the keys, or does not let them. Thanos would fail in the same way, a while later and less plainly.",
        see: &["oci os bucket get --bucket-name BUCKET", "oci iam customer-secret-key list --user-id OCID"],
        remedy: "What was answered says which it is: keys of another tenancy or region, a name that is taken, a policy that is missing, a clock that is wrong.",
        more: &["https://docs.oracle.com/en-us/iaas/Content/Object/Tasks/s3compatibleapi.htm"],
    }
    ChartMissing {
        name: "OKM-CHART-MISSING",
        title: "a chart cannot be had",
        meaning: "The chart is not on this machine, and its registry did not give it: it cannot be reached from here, wants a login, or does not have this version.",
        see: &["helm pull CHART --version VERSION"],
        remedy: "Fetch it where it can be had, put it into a directory, and name that in `chartDirectory`.",
        more: &["https://helm.sh/docs/topics/registries/"],
    }
    InstallRefused {
        name: "OKM-INSTALL-REFUSED",
        title: "an install would refuse to go on here",
        meaning: "What is there cannot be changed as it should be, or must not be: a release that somebody's Helm is at work on, a volume that would be lost, definitions that another one owns, a document that the API server does not take.",
        see: &["helm --kube-context CONTEXT -n monitoring list --all", "okemon plan --live"],
        remedy: "What is said of it names the thing and what to type.",
        more: &[],
    }
    HopUnreached {
        name: "OKM-HOP-UNREACHED",
        title: "a part on the way of a sample does not answer",
        meaning: "A part was asked over a connection that the API server forwards, and did not answer, or none of its pods runs. Nothing is known of what it does.",
        see: &[
            "kubectl --context CONTEXT -n monitoring get pods",
            "kubectl --context CONTEXT -n monitoring port-forward pod/POD :PORT",
        ],
        remedy: "If the pod does not run, the line `pods` tells why. If it runs, ask it by hand: forwarding needs the right to create `pods/portforward`, and a way from the API server to the node.",
        more: &["https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/"],
    }
    TargetsDown {
        name: "OKM-TARGETS-DOWN",
        title: "Prometheus does not reach what it scrapes",
        meaning: "A target did not answer the last time, or there is none at all. What it would tell is missing from every dashboard and alert.",
        see: &["kubectl --context CONTEXT -n monitoring get servicemonitors,podmonitors"],
        remedy: "The error is what Prometheus got. A refused connection: the program does not listen there. A timeout: a network policy or a security list is between. 401 or 403: the target wants another login. No target: no ServiceMonitor was selected.",
        more: &["https://prometheus-operator.dev/docs/platform/troubleshooting/"],
    }
    RulesFail {
        name: "OKM-RULES-FAIL",
        title: "a rule cannot be evaluated",
        meaning: "Prometheus could not work out the expression of a rule: an alert of it never fires.",
        see: &["kubectl --context CONTEXT -n monitoring get prometheusrules"],
        remedy: "The error is Prometheus' own. Many-to-many matches mostly mean that two releases bring the same metrics.",
        more: &["https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/"],
    }
    SidecarBlind {
        name: "OKM-SIDECAR-BLIND",
        title: "a Thanos sidecar does not see its Prometheus",
        meaning: "The sidecar runs and gets no answer from the Prometheus beside it, so that Query does not get its samples.",
        see: &["kubectl --context CONTEXT -n monitoring logs POD -c thanos-sidecar"],
        remedy: "Its log says what it got. A Prometheus that replays its log after a crash answers when it has done so.",
        more: &["https://thanos.io/tip/components/sidecar.md/"],
    }
    StoresMissing {
        name: "OKM-STORES-MISSING",
        title: "Query does not ask every store",
        meaning: "A sidecar, store gateway or ruler is not among those that Query asks, answers with an error, or has the same labels as another. What it has is missing from answers, or counted twice.",
        see: &[
            "kubectl --context CONTEXT -n monitoring port-forward service/thanos-query 9090",
            "curl http://127.0.0.1:9090/api/v1/stores    # in another terminal",
        ],
        remedy: "Mostly an address in `query.stores`, in a file of your own that `values.thanos` names, leads nowhere, or the external label `cluster` was changed by hand: `okemon plan --live` shows the latter, and `okemon install` puts it right. `lastError` of a store says what Query got from it.",
        more: &["https://thanos.io/tip/components/query.md/"],
    }
    SampleLost {
        name: "OKM-SAMPLE-LOST",
        title: "Query does not answer with a new sample of each target, once",
        meaning: "What Prometheus scraped is not what Query tells: nothing, old samples, or each of them twice because the replicas are not told apart by the label that Query removes.",
        see: &["kubectl --context CONTEXT -n monitoring port-forward service/thanos-query 9090"],
        remedy: "Nothing: are `targets` and `stores` fine? Twice: `query.replicaLabel` must name `prometheus_replica`. Old: compare the clocks of the nodes.",
        more: &["https://thanos.io/tip/components/query.md/#deduplication"],
    }
    UploadsFail {
        name: "OKM-UPLOADS-FAIL",
        title: "blocks do not arrive in the bucket",
        meaning: "A sidecar could not upload a block, or none has come although the first was due. Prometheus keeps blocks for as long as `retention.local`; what is not uploaded by then is lost.",
        see: &["kubectl --context CONTEXT -n monitoring logs POD -c thanos-sidecar"],
        remedy: "Its log holds the answer of Object Storage: keys that were deleted, a policy, a bucket that is gone. `okemon check` asks the same with the same keys; failures that are over are counted until the pod is made anew.",
        more: &["https://thanos.io/tip/components/sidecar.md/#upload-historical-data"],
    }
    CompactorHalted {
        name: "OKM-COMPACTOR-HALTED",
        title: "the compactor does not work, or more than one does",
        meaning: "It has halted over blocks that overlap or are broken: nothing is compacted, downsampled or deleted from then on, and queries of old samples get slower. Two compactors at one bucket destroy its blocks.",
        see: &["kubectl --context CONTEXT -n monitoring logs deployment/thanos-compactor"],
        remedy: "Its log names the blocks. Overlaps come from a second Prometheus with the same external labels, or a second compactor: end that first, then mark the blocks with `thanos tools bucket mark`.",
        more: &["https://thanos.io/tip/components/compact.md/#halting"],
    }
    AlertmanagerApart {
        name: "OKM-ALERTMANAGER-APART",
        title: "an Alertmanager is not ready, not known to the others, or not told of alerts",
        meaning: "Replicas that do not know each other notify twice; one that Prometheus does not send to has nothing to notify of.",
        see: &["kubectl --context CONTEXT -n monitoring logs POD -c alertmanager"],
        remedy: "A configuration that it does not take is in its log. Replicas talk at port 9094: a network policy may be between.",
        more: &["https://prometheus.io/docs/alerting/latest/high_availability/"],
    }
    GrafanaBlind {
        name: "OKM-GRAFANA-BLIND",
        title: "Grafana does not show what Query has",
        meaning: "Grafana is not well, its data source does not answer, or its dashboards are gone. Where somebody has changed the password of its user, it cannot be asked.",
        see: &["kubectl --context CONTEXT -n monitoring logs deployment/grafana -c grafana", "kubectl --context CONTEXT -n monitoring port-forward service/grafana 3000:80"],
        remedy: "`okemon grafana` puts back data source and dashboards. With another password, look at Connections, Data sources, Thanos, and save and test there.",
        more: &["https://grafana.com/docs/grafana/latest/datasources/prometheus/"],
    }
}
